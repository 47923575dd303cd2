/* metadata_dcmtk.h: a data set of the DICOM JSON model [PS3.18 Annex F] as a Part 10 file.
 * SPDX-License-Identifier: MIT */
#ifndef WADO_RS_METADATA_DCMTK_H
#define WADO_RS_METADATA_DCMTK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Takes the file's bytes. A negative return ends the writing and is returned. */
struct metadata_sink {
    void *ctx;
    int32_t (*write)(void *ctx, const void *data, uint64_t length);
};

/* What became of the data set. */
struct metadata_result {
    uint32_t left_out;   /* attributes without their value in it: BulkDataURI */
    const char *problem; /* set on PROTOCOL, static text */
};

/* Silences DCMTK's own log. */
void metadata_dcmtk_init(void);

/*
 * Writes one object, as kit/json_stream.h hands it on (numbers marked), as a file in explicit VR
 * little endian with complete file meta information. Text that is not ASCII is written as ISO_IR
 * 192, as JSON has it. Attributes of groups 0000 and 0002 and group lengths are not copied.
 * Errors: PROTOCOL; NOMEM; what the sink returned.
 */
int metadata_dcmtk_write(const char *text, size_t length, const struct metadata_sink *sink,
                         struct metadata_result *ret_result);

#ifdef __cplusplus
}
#endif
#endif
