/* stream_dcmtk.h: where DCMTK puts the bytes of a data set that it receives (C++).
 * SPDX-License-Identifier: MIT */
#ifndef DIMSE_STREAM_DCMTK_H
#define DIMSE_STREAM_DCMTK_H

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcostrma.h>

/* Takes the bytes as they come. It always claims success, and `take` keeps its own errors: told of
 * one, DCMTK would wait for a fragment that never comes. */
class TakingConsumer : public DcmConsumer
{
  public:
    OFBool good() const override
    {
        return OFTrue;
    }
    OFCondition status() const override
    {
        return EC_Normal;
    }
    OFBool isFlushed() const override
    {
        return OFTrue;
    }
    offile_off_t avail() const override
    {
        return 0x7fffffff;
    }
    offile_off_t write(const void *data, offile_off_t length) override
    {
        if (length > 0) take(data, (size_t)length);
        return length;
    }
    void flush() override
    {
    }

  private:
    virtual void take(const void *data, size_t length) = 0;
};

/* The stream for DIMSE_receiveDataSetInFile; the consumer outlives it. */
class TakingStream : public DcmOutputStream
{
  public:
    explicit TakingStream(TakingConsumer *to) : DcmOutputStream(to)
    {
    }
};

#endif
