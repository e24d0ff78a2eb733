TITLE Somatic channels of the spinal motor neuron

COMMENT
Fast and persistent sodium, fast and slow potassium, leak.
Voltages are relative to rest (leak reversal 0 mV).
ENDCOMMENT

NEURON {
    THREADSAFE
    SUFFIX mnsoma
    USEION na READ ena WRITE ina
    USEION k READ ek WRITE ik
    NONSPECIFIC_CURRENT il
    RANGE gna, gnap, gkf, gks, gl, el, beta_r
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER {
    gna = 0.0325 (S/cm2)
    gnap = 0.00067 (S/cm2)
    gkf = 0.0015 (S/cm2)
    gks = 0.016 (S/cm2)
    gl = 0.00095 (S/cm2)
    el = 0 (mV)
    beta_r = 0.018 (/ms)
}

STATE { m h p n r }

ASSIGNED {
    v (mV)
    ena (mV)
    ek (mV)
    ina (mA/cm2)
    ik (mA/cm2)
    il (mA/cm2)
    minf hinf pinf ninf rinf
    mtau (ms)
    htau (ms)
    ptau (ms)
    ntau (ms)
    rtau (ms)
}

INITIAL {
    rates(v)
    m = minf
    h = hinf
    p = pinf
    n = ninf
    r = rinf
}

BREAKPOINT {
    SOLVE states METHOD cnexp
    ina = (gna*m*m*m*h + gnap*p*p*p)*(v - ena)
    ik = (gkf*n*n*n*n + gks*r*r)*(v - ek)
    il = gl*(v - el)
}

DERIVATIVE states {
    rates(v)
    m' = (minf - m)/mtau
    h' = (hinf - h)/htau
    p' = (pinf - p)/ptau
    n' = (ninf - n)/ntau
    r' = (rinf - r)/rtau
}

PROCEDURE rates(v (mV)) {
    LOCAL a, b
    UNITSOFF
    a = 0.64*vtrap(15 - v, 4)
    b = 0.56*vtrap(v - 40, 5)
    mtau = 1/(a + b)
    minf = a*mtau
    a = 0.928*exp((17 - v)/18)
    b = 9/(exp((40 - v)/5) + 1)
    htau = 1/(a + b)
    hinf = a*htau
    a = 0.64*vtrap(5 - v, 4)
    b = 0.56*vtrap(v - 30, 5)
    ptau = 1/(a + b)
    pinf = a*ptau
    a = 0.08*vtrap(15 - v, 7)
    b = 2*exp((10 - v)/40)
    ntau = 1/(a + b)
    ninf = a*ntau
    a = 3.5/(exp((55 - v)/4) + 1)
    b = beta_r
    rtau = 1/(a + b)
    rinf = a*rtau
    UNITSON
}

FUNCTION vtrap(x, y) {
    : x/(exp(x/y) - 1), by its series where that would be 0/0
    if (fabs(x/y) < 1e-6) {
        vtrap = y*(1 - x/y/2)
    } else {
        vtrap = x/(exp(x/y) - 1)
    }
}
