#include "CBuildStamp.h"

// deploy/stamp writes the commit into this section of a finished executable. So a commit rebuilds nothing, and what a build
// makes depends on nothing but the sources.
__attribute__((section(".sluice.commit"), used)) static const char commit[64] = {0};

const char *CBuildStamp_commit(void) { return commit; }
