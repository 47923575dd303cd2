/* folder_dcmtk.h: attributes of a DICOM file, without its pixel data. SPDX-License-Identifier: MIT
 */
#ifndef FOLDER_FOLDER_DCMTK_H
#define FOLDER_FOLDER_DCMTK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An attribute to read; `path` ("00400275.00400007") for one within sequences, else NULL. Group
 * 0002 is that of the file meta information. */
struct folder_wanted {
    uint32_t tag;
    const char *path;
};

/* An attribute that is there. */
struct folder_value {
    char vr[4];
    bool json;                   /* a sequence: text is the JSON array of its items */
    const char *private_creator; /* NULL for none */
    const char *text; /* UTF-8, values joined with '\', padding cut; "" without a value. Of a path:
                         the values of all items */
};

struct folder_reader {
    const struct folder_wanted *wanted;
    size_t count;
    const char *charset; /* of files that name none; "" for ASCII or UTF-8 */
    void *ctx;
    /* Gets wanted[which] where the file has it, in order of `wanted`. A negative return ends the
     * reading and is returned. */
    int (*value)(void *ctx, size_t which, const struct folder_value *value);
};

/* Says whether DCMTK can work: false when its data dictionary is missing. Silences its log. */
bool folder_dcmtk_ready(void);

/*
 * Reads the file open at `fd` (a descriptor of a regular file; its offset does not matter), up to
 * the last attribute wanted: data sets are in ascending order of tags [PS3.5 7.1].
 * Returns 0, TROLLEY_ERR_PROTOCOL when it is no readable DICOM file (with the reason in problem),
 * TROLLEY_ERR_NOMEM, or what reader->value returned. [any]
 */
int folder_dcmtk_read(int fd, const struct folder_reader *reader, char *problem, size_t size);

#ifdef __cplusplus
}
#endif
#endif
