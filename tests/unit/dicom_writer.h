/* dicom_writer.h: writing small DICOM files for tests, explicit VR little endian [PS3.5 7.1.2].
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_DICOM_WRITER_H
#define TESTS_DICOM_WRITER_H

#include <stdint.h>

#include "sdk/kit/buffer.h"

/* One attribute; text is padded to even length. A sequence's value is what dicom_item made. */
void dicom_put(struct kit_buffer *out, uint32_t tag, const char *vr, const void *value,
               size_t length);
void dicom_text(struct kit_buffer *out, uint32_t tag, const char *vr, const char *text);

/* Wraps a data set as a sequence item. */
void dicom_item(struct kit_buffer *out, const struct kit_buffer *item);

/* Writes preamble, file meta information and data set to `path`. */
void dicom_save(const char *path, const struct kit_buffer *dataset);

#endif
