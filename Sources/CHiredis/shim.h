// The codec of hiredis and nothing else of it: bytes travel through a channel of our own.
#ifndef SLUICE_CHIREDIS_H
#define SLUICE_CHIREDIS_H

#include <hiredis/hiredis.h>
#include <hiredis/read.h>

#endif
