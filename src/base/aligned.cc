#include "base/aligned.h"

#include <sys/mman.h>

namespace millwright {

void AdviseHugePagesFor(void* pointer, size_t bytes) {
#ifdef MADV_HUGEPAGE
  // Advice only: where it is refused, ordinary pages serve.
  (void)madvise(pointer, bytes, MADV_HUGEPAGE);
#else
  (void)pointer;
  (void)bytes;
#endif
}

}  // namespace millwright
