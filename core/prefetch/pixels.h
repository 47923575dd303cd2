/* pixels.h: which objects have images. SPDX-License-Identifier: MIT */
#ifndef CORE_PREFETCH_PIXELS_H
#define CORE_PREFETCH_PIXELS_H

#include <stdbool.h>

/* Is it a SOP class whose instances never have Pixel Data [PS3.3 A.1-1; PS3.4 B.5]: reports,
 * presentation states, waveforms, encapsulated documents, plans, ...? False for NULL and for what
 * is not known. */
bool prefetch_without_pixels(const char *sop_class);

#endif
