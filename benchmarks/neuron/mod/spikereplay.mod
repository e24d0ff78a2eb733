TITLE Replay of given spike times

COMMENT
play(vector) copies the ascending times (ms) into memory of the instance's own,
behind a BBCOREPOINTER so that CoreNEURON receives them: element 0 is the number
of times, the times follow.
ENDCOMMENT

NEURON {
    THREADSAFE
    ARTIFICIAL_CELL SpikeReplay
    BBCOREPOINTER train
    RANGE played, upcoming
}

ASSIGNED {
    train
    played : how many spikes have been scheduled
    upcoming (ms)
}

VERBATIM
#include <cstdlib>
#include <cstring>
ENDVERBATIM

INITIAL {
    played = 0
    upcoming = time_of(played)
    if (upcoming >= 0) {
        net_send(upcoming - t, 1)
    }
}

NET_RECEIVE (w) {
    if (flag == 1) {
        net_event(t)
        played = played + 1
        upcoming = time_of(played)
        if (upcoming >= 0) {
            net_send(upcoming - t, 1)
        }
    }
}

FUNCTION time_of(i) {
    : time of spike i, or -1 after the last one
VERBATIM
    const double* own = (const double*) _p_train;
    const int number = (int) _li;
    double found = -1.0;
    if (own && number < (int) own[0]) {
        found = own[1 + number];
    }
    _ltime_of = found;
ENDVERBATIM
}

PROCEDURE play() {
VERBATIM
#if !NRNBBCORE
    double* times = nullptr;
    const int size = vector_arg_px(1, &times);
    double* copy = (double*) std::malloc(sizeof(double) * (size + 1));
    copy[0] = size;
    std::memcpy(copy + 1, times, sizeof(double) * size);
    std::free((void*) _p_train);
    _p_train = copy;
#endif
ENDVERBATIM
}

DESTRUCTOR {
VERBATIM
    std::free((void*) _p_train);
ENDVERBATIM
}

VERBATIM
static void bbcore_write(double* x, int* d, int* x_offset, int* d_offset, _threadargsproto_) {
    const double* own = (const double*) _p_train;
    const int size = own ? 1 + (int) own[0] : 1;
    if (x) {
        double* out = x + *x_offset;
        out[0] = 0.0;
        if (own) {
            std::memcpy(out, own, sizeof(double) * size);
        }
    }
    *x_offset += size;
}

static void bbcore_read(double* x, int* d, int* x_offset, int* d_offset, _threadargsproto_) {
    const double* in = x + *x_offset;
    const int size = 1 + (int) in[0];
    double* copy = (double*) std::malloc(sizeof(double) * size);
    std::memcpy(copy, in, sizeof(double) * size);
    *x_offset += size;
    _p_train = copy;
}
ENDVERBATIM
