/*
 * The one function of libatomic.so.1 that the official Node 26 calls, for machines that lack the library: what
 * `apt install nodejs npm` brings on Debian 12 does not include it. bin/run-time.sh decides when it is used.
 * build.sh makes bin/libatomic/ of it.
 *
 * Node's compiler calls it for words of eight bytes in V8's tables of pointers, whose type does not promise the
 * alignment that they have. V8 reads those words with plain loads, so nothing but one instruction is right here;
 * any other size ends the process.
 */
#include <stddef.h>
#include <stdint.h>

/* The name is the compiler's own, which C does not let us define. */
_Bool compare_exchange(size_t size, void *object, void *expected, const void *desired, int success,
                       int failure) __asm__("__atomic_compare_exchange");

_Bool compare_exchange(size_t size, void *object, void *expected, const void *desired, int success,
                       int failure) {
  (void)success, (void)failure; /* The strongest order serves every request. */
  if (size != sizeof(uint64_t) || (uintptr_t)object % sizeof(uint64_t) != 0) __builtin_trap();
  uint64_t seen, wanted;
  __builtin_memcpy(&seen, expected, sizeof seen);
  __builtin_memcpy(&wanted, desired, sizeof wanted);
  _Bool done = __atomic_compare_exchange_n((uint64_t *)object, &seen, wanted, 0, __ATOMIC_SEQ_CST,
                                           __ATOMIC_SEQ_CST);
  if (!done) __builtin_memcpy(expected, &seen, sizeof seen);
  return done;
}
