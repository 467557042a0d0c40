"""A Ctrl-C that something inside has made a result of still ends the work."""

import os
import signal
import threading

import pytest

from isthmus.training.interrupts import undeniable_interrupts

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")


def content_with_less():
    """What a fit does of an interrupt."""
    try:
        os.kill(os.getpid(), signal.SIGINT)
        return "all"
    except KeyboardInterrupt:
        return "what is known by then"


def test_an_interrupt_that_was_caught_is_raised_at_the_end():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), undeniable_interrupts():
        assert content_with_less() == "what is known by then"
    assert signal.getsignal(signal.SIGINT) is before
    with undeniable_interrupts():
        pass


def test_elsewhere_than_in_the_main_thread_nothing_is_held():
    seen = []

    def work():
        with undeniable_interrupts():
            seen.append(signal.getsignal(signal.SIGINT))

    other = threading.Thread(target=work)
    other.start()
    other.join()
    assert seen == [signal.getsignal(signal.SIGINT)]
