/* SPDX-License-Identifier: MIT */
#include "core/prefetch/pixels.h"

#include <stddef.h>
#include <string.h>

#define STORAGE "1.2.840.10008.5.1.4.1.1." /* most storage SOP classes begin so [PS3.6 A] */

/* Behind STORAGE; a name that ends in '.' means all below it. */
static const char *const pixels_none[] = {
    "4.2",  /* MR Spectroscopy */
    "8",    /* Standalone Overlay */
    "9",    /* Standalone Curve */
    "9.",   /* waveforms */
    "10",   /* Standalone Modality LUT */
    "11",   /* Standalone VOI LUT */
    "11.",  /* presentation states */
    "66",   /* Raw Data */
    "66.1", /* Spatial Registration */
    "66.2", /* Spatial Fiducials */
    "66.3", /* Deformable Spatial Registration */
    "66.5", /* Surface Segmentation */
    "66.6", /* Tractography Results */
    "67",   /* Real World Value Mapping */
    "68.",  /* surface scans */
    "77.1.5.3" /* Stereometric Relationship */,
    "78.",    /* lensometry, refraction, visual acuity, ... */
    "79.",    /* macular grid, visual field */
    "80.1",   /* Ophthalmic Visual Field */
    "88.",    /* structured reports, Key Object Selection */
    "90.",    /* content assessment */
    "91.1",   /* Microscopy Bulk Simple Annotations */
    "104.",   /* encapsulated PDF, CDA, STL, ... */
    "129",    /* Standalone PET Curve */
    "131",    /* Basic Structured Display */
    "200.",   /* CT and XA protocols */
    "201.",   /* inventory, ... */
    "481.3",  /* RT Structure Set */
    "481.4",  /* RT Beams Treatment Record */
    "481.5",  /* RT Plan */
    "481.6",  /* RT Brachy Treatment Record */
    "481.7",  /* RT Treatment Summary Record */
    "481.8",  /* RT Ion Plan */
    "481.9",  /* RT Ion Beams Treatment Record */
    "481.10", /* RT Physician Intent */
    "481.11", /* RT Segment Annotation */
    "481.12", /* RT Radiation Set */
    "481.13", /* C-Arm Photon-Electron Radiation */
    "481.14",
    "481.15",
    "481.16",
    "481.17",
    "481.18",
    "481.19",
    "481.20",
    "481.21",
    "481.22",
};

/* Elsewhere in DICOM's tree. */
static const char *const pixels_none_elsewhere[] = {
    "1.2.840.10008.5.1.4.38.1", /* Hanging Protocol */
    "1.2.840.10008.5.1.4.39.1", /* Color Palette */
    "1.2.840.10008.5.1.4.43.1", /* Generic Implant Template */
    "1.2.840.10008.5.1.4.44.1", /* Implant Assembly Template */
    "1.2.840.10008.5.1.4.45.1", /* Implant Template Group */
    "1.2.840.10008.5.1.4.34.7", /* RT Beams Delivery Instruction */
    "1.2.840.10008.5.1.4.34.10" /* RT Brachy Application Setup Delivery Instruction */,
    "1.2.840.10008.1.3.10", /* Media Storage Directory */
};

bool prefetch_without_pixels(const char *sop_class)
{
    const size_t prefix = strlen(STORAGE);
    size_t i;

    if (!sop_class) return false;
    for (i = 0; i < sizeof pixels_none_elsewhere / sizeof pixels_none_elsewhere[0]; i++)
        if (strcmp(sop_class, pixels_none_elsewhere[i]) == 0) return true;
    if (strncmp(sop_class, STORAGE, prefix) != 0) return false;
    for (i = 0; i < sizeof pixels_none / sizeof pixels_none[0]; i++) {
        const size_t length = strlen(pixels_none[i]);

        if (pixels_none[i][length - 1] == '.'
                ? strncmp(sop_class + prefix, pixels_none[i], length) == 0
                : strcmp(sop_class + prefix, pixels_none[i]) == 0)
            return true;
    }
    return false;
}
