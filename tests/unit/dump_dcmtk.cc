// Prints what DCMTK reads of a file's head, in the form of dump_part10.
// SPDX-License-Identifier: MIT
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <cstdio>

#include "dump_tags.h"

static void print(const char *name, const OFString &value)
{
    std::printf("%s ", name);
    for (unsigned char c : value)
        std::printf(c >= 0x20 && c < 0x7F ? "%c" : "%%%02X", c);
    std::printf("\n");
}

// The value; of an element of VR UN all bytes behind a '~'.
static OFString text(DcmDataset *dataset, const DcmTagKey &key)
{
    DcmElement *element = nullptr;
    OFString value;
    Uint8 *bytes = nullptr;

    if (dataset->findAndGetElement(key, element).bad()) return value;
    if (element->ident() == EVR_UN && element->getUint8Array(bytes).good() && bytes)
        return "~" + OFString(reinterpret_cast<char *>(bytes), element->getLength());
    (void)element->getOFStringArray(value);
    return value;
}

int main(int argc, char **argv)
{
    DcmFileFormat file;
    OFString value;

    if (argc != 2) return 2;
    OFLog::configure(OFLogger::OFF_LOG_LEVEL);
    OFCondition status = file.loadFileUntilTag(argv[1], EXS_Unknown, EGL_noChange,
                                               DCM_MaxReadLength, ERM_autoDetect, DCM_PixelData);
    std::printf("status %s\n", status.good() ? "ok" : status.text());
    if (file.getMetaInfo()->findAndGetOFString(DCM_TransferSyntaxUID, value).good() &&
        !value.empty())
        print("syntax", value);
    for (uint32_t tag : dump_tags) {
        char name[9];
        DcmTagKey key(Uint16(tag >> 16), Uint16(tag & 0xFFFF));
        if (!file.getDataset()->tagExists(key)) continue;
        std::snprintf(name, sizeof name, "%08X", tag);
        print(name, text(file.getDataset(), key));
    }
    return 0;
}
