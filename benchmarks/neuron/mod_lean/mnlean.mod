TITLE All somatic channels of the motor neuron, for speed

COMMENT
Same equations as mod/mnsoma.mod. What is lean: one non-specific current with an
analytic conductance (no ions, no numerical derivative), five exponentials where
the rates name nine, and Pade(3,3) in place of the exponential in the
gate update. All variables are RANGE so that CoreNEURON can vectorise over cells.
ENDCOMMENT

NEURON {
    THREADSAFE
    SUFFIX mnlean
    NONSPECIFIC_CURRENT i
    RANGE gna, gnap, gkf, gks, gl, beta_r, g
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
    beta_r = 0.018 (/ms)
}

STATE { m h p n r }

ASSIGNED {
    v (mV)
    dt (ms)
    i (mA/cm2)
    g (S/cm2)
}

INITIAL {
    LOCAL a, b
    UNITSOFF
    a = 0.64*ratio(15 - v, exp((15 - v)/4), 4)
    b = 0.56*ratio(v - 40, exp((v - 40)/5), 5)
    m = a/(a + b)
    a = 0.928*exp((17 - v)/18)
    b = 9/(exp((40 - v)/5) + 1)
    h = a/(a + b)
    a = 0.64*ratio(5 - v, exp((5 - v)/4), 4)
    b = 0.56*ratio(v - 30, exp((v - 30)/5), 5)
    p = a/(a + b)
    a = 0.08*ratio(15 - v, exp((15 - v)/7), 7)
    b = 2*exp((10 - v)/40)
    n = a/(a + b)
    a = 3.5/(exp((55 - v)/4) + 1)
    r = a/(a + beta_r)
    UNITSON
}

BREAKPOINT {
    LOCAL na, k, n2
    SOLVE gates
    n2 = n*n
    na = gna*m*m*m*h + gnap*p*p*p
    k = gkf*n2*n2 + gks*r*r
    CONDUCTANCE g
    g = na + k + gl
    i = g*v - (120*na - 10*k)
}

PROCEDURE gates() {
    LOCAL e4, e5, a, s
    UNITSOFF
    : exp((15-v)/4) and exp((v-40)/5) also give the other rates, up to constants
    e4 = exp((15 - v)*0.25)
    e5 = exp((v - 40)*0.2)

    a = 0.64*ratio(15 - v, e4, 4)
    s = a + 0.56*ratio(v - 40, e5, 5)
    m = m + (a - s*m)*span(s*dt, dt)

    a = 0.928*exp((17 - v)*0.05555555555555555)
    s = a + 9*e5/(1 + e5)
    h = h + (a - s*h)*span(s*dt, dt)

    a = 0.64*ratio(5 - v, e4*0.0820849986238988, 4)
    s = a + 0.56*ratio(v - 30, e5*7.38905609893065, 5)
    p = p + (a - s*p)*span(s*dt, dt)

    a = 0.08*ratio(15 - v, exp((15 - v)*0.14285714285714285), 7)
    s = a + 2*exp((10 - v)*0.025)
    n = n + (a - s*n)*span(s*dt, dt)

    a = 3.5/(e4*22026.465794806718 + 1)
    s = a + beta_r
    r = r + (a - s*r)*span(s*dt, dt)
    UNITSON
}

FUNCTION ratio(x, e, y) {
    : x/(e - 1) with e = exp(x/y); its limit y where that would be 0/0
    if (fabs(x) < 1e-6) {
        ratio = y
    } else {
        ratio = x/(e - 1)
    }
}

FUNCTION span(z, step) {
    : step*(1 - exp(-z))/z by Pade(3,3)
    span = step*(1 + z*z*0.016666666666666666)/(1 + z*(0.5 + z*(0.1 + z*0.008333333333333333)))
}
