/* fuzz.h - what libFuzzer and replay.c call in each fuzz target.
 *
 * One target per parser.  Each takes any bytes, and asserts what must hold
 * whatever they are.  Built with -fsanitize=fuzzer it is a fuzzer; built with
 * replay.c it runs over its corpus once, as part of `make check`.
 */
#ifndef PEERPOST_TESTS_FUZZ_H
#define PEERPOST_TESTS_FUZZ_H

#ifdef NDEBUG
#error "fuzzing is for assertions: build without -DNDEBUG"
#endif

#include <stddef.h>
#include <stdint.h>

/* Run the parser over size bytes.  Returns 0; aborts on a broken promise. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
