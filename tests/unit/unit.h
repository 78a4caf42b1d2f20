/* unit.h - what every unit test includes first: cmocka, and what it needs. */
#ifndef PEERPOST_TESTS_UNIT_H
#define PEERPOST_TESTS_UNIT_H

/* The daemon's own assertions are part of what the tests check. */
#ifdef NDEBUG
#error "tests need assertions: build without -DNDEBUG"
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define OK(call) assert_int_equal((call), ERR_NONE)
#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
