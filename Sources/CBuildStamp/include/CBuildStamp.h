#ifndef CBUILDSTAMP_H
#define CBUILDSTAMP_H

/// The commit that this executable was made from, or an empty string: see deploy/stamp.
const char *CBuildStamp_commit(void);

#endif
