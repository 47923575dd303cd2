/*
 * element_dcmtk.h: what DCMTK read as texts of a record: UTF-8, without padding, sequences as DICOM
 * JSON (C++). SPDX-License-Identifier: MIT
 */
#ifndef DATASET_ELEMENT_DCMTK_H
#define DATASET_ELEMENT_DCMTK_H

#include <stdint.h>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include "charset_dcmtk.h"
#include "kit/buffer.h"

struct record;

/* Most bytes of one attribute; a longer one is left out. */
#define DATASET_VALUE_MAX ((size_t)64 << 10)

/* The element's values as UTF-8, joined with '\\', in `out`. False when they are too long or no
 * text. */
bool dataset_element_text(DcmElement &element, struct charset *charset, struct kit_buffer *out);

/* The JSON array of a sequence's items [PS3.18 F.2]; the items are changed to UTF-8 on the way.
 * `charset` holds for items that name none. */
bool dataset_sequence_json(DcmSequenceOfItems &sequence, const char *charset,
                           struct kit_buffer *out);

/*
 * Adds the data set's attributes to a record, group lengths and what is no text left out.
 * @param charset  of data sets that name none; "" for ASCII or UTF-8
 * Errors: NOMEM; TOO_LARGE for more attributes than a record holds.
 */
int dataset_add_to_record(DcmItem &item, const char *charset, struct record *record);

/* Parses a data set in a transfer syntax (a UID). NULL when it is broken or nested too deeply. The
 * bytes need not live on. */
DcmDataset *dataset_parse(const void *bytes, size_t length, const char *syntax);

/* DCMTK reads nested sequences by recursion without a bound, and a few hundred kilobytes can nest
 * deep enough to break any stack. Real data needs some ten levels. */
#define DATASET_STACK_BYTES ((size_t)256 << 10)

/* A stream that ends where reading it would take too much of the stack. */
template <class Base> class BoundedStream : public Base
{
  public:
    template <class... Arguments>
    explicit BoundedStream(Arguments... arguments)
        : Base(arguments...), base((uintptr_t)__builtin_frame_address(0)), nested(false)
    {
    }
    OFBool good() const override
    {
        return !nested && Base::good();
    }
    OFCondition status() const override
    {
        return nested ? EC_CorruptedData : Base::status();
    }
    offile_off_t read(void *buffer, offile_off_t length) override
    {
        uintptr_t here = (uintptr_t)__builtin_frame_address(0);

        if ((base > here ? base - here : here - base) > DATASET_STACK_BYTES) nested = true;
        return nested ? 0 : Base::read(buffer, length);
    }
    bool too_deep() const
    {
        return nested;
    }

  private:
    uintptr_t base;
    bool nested;
};

#endif
