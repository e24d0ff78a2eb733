TITLE L-type calcium channel and leak of the motor neuron's dendrite

NEURON {
    THREADSAFE
    SUFFIX mncal
    USEION ca READ eca WRITE ica
    NONSPECIFIC_CURRENT il
    RANGE gca, gamma, vtraub, taul, gl, el
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER {
    gca = 6.2e-6 (S/cm2)
    gamma = 0.2 : neuromodulation
    vtraub = 34 (mV)
    taul = 47 (ms)
    gl = 7.7e-5 (S/cm2)
    el = 0 (mV)
}

STATE { l }

ASSIGNED {
    v (mV)
    eca (mV)
    ica (mA/cm2)
    il (mA/cm2)
    linf
}

INITIAL {
    rates(v)
    l = linf
}

BREAKPOINT {
    SOLVE states METHOD cnexp
    ica = gamma*gca*l*(v - eca)
    il = gl*(v - el)
}

DERIVATIVE states {
    rates(v)
    l' = (linf - l)/taul
}

PROCEDURE rates(v (mV)) {
    UNITSOFF
    linf = 1/(exp(-(v - vtraub + 30)) + 1)
    UNITSON
}
