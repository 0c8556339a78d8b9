/* What every target has: one function that is fed anything and must come back. It returns 0; what
 * must never be is met with abort(). */
#ifndef EMSA_TESTS_FUZZ_TARGET_H
#define EMSA_TESTS_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
