TITLE All of the motor neuron's dendrite in one point process, for speed

COMMENT
L-type calcium channel, leak and the double exponential synapse that takes all
inputs of the cell. Conductances are absolute (uS). The decay factors are computed
once, in INITIAL, for the fixed step.
ENDCOMMENT

NEURON {
    THREADSAFE
    POINT_PROCESS DendLean
    NONSPECIFIC_CURRENT i
    RANGE gca, gl, vtraub, taul, tau1, tau2, factor, keep_a, keep_b, fill_l, g
}

UNITS {
    (mV) = (millivolt)
    (nA) = (nanoamp)
    (uS) = (microsiemens)
}

PARAMETER {
    gca = 0.01 (uS) : includes the neuromodulation gamma
    gl = 0.6 (uS)
    vtraub = 34 (mV)
    taul = 47 (ms)
    tau1 = 0.2 (ms)
    tau2 = 0.3 (ms)
}

STATE { l a b }

ASSIGNED {
    v (mV)
    dt (ms)
    i (nA)
    g (uS)
    factor
    keep_a
    keep_b
    fill_l
}

INITIAL {
    LOCAL tp
    a = 0
    b = 0
    l = 1/(1 + exp(vtraub - 30 - v))
    tp = tau1*tau2/(tau2 - tau1)*log(tau2/tau1)
    factor = 1/(exp(-tp/tau2) - exp(-tp/tau1))
    keep_a = exp(-dt/tau1)
    keep_b = exp(-dt/tau2)
    fill_l = 1 - exp(-dt/taul)
}

BREAKPOINT {
    LOCAL ca, syn
    SOLVE advance
    CONDUCTANCE g
    ca = gca*l
    syn = b - a
    g = ca + syn + gl
    i = g*v - (140*ca + 70*syn)
}

PROCEDURE advance() {
    UNITSOFF
    a = a*keep_a
    b = b*keep_b
    l = l + fill_l*(1/(1 + exp(vtraub - 30 - v)) - l)
    UNITSON
}

NET_RECEIVE (weight (uS)) {
    a = a + weight*factor
    b = b + weight*factor
}
