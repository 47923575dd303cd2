/* SPDX-License-Identifier: MIT */
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcuid.h>
#include <stddef.h>

extern "C" {
#include "contexts.h"
}

const char *contexts_common_class(size_t i)
{
    return i < (size_t)numberOfDcmShortSCUStorageSOPClassUIDs ? dcmShortSCUStorageSOPClassUIDs[i]
                                                              : NULL;
}

const char *contexts_any_class(size_t i)
{
    return i < (size_t)numberOfDcmAllStorageSOPClassUIDs ? dcmAllStorageSOPClassUIDs[i] : NULL;
}
