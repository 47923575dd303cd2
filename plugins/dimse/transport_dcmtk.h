/* transport_dcmtk.h: DCMTK's transport layer on a channel of our own (C++).
 * SPDX-License-Identifier: MIT */
#ifndef DIMSE_TRANSPORT_DCMTK_H
#define DIMSE_TRANSPORT_DCMTK_H

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmnet/dcmlayer.h>
#include <dcmtk/dcmnet/dcmtrans.h>

#include "channel.h"

/* Makes connections that read and write the channel. DCMTK insists on connecting (or accepting) a
 * socket by itself: it gets one of a Rendezvous, and only its number is used. */
class ChannelLayer : public DcmTransportLayer
{
  public:
    explicit ChannelLayer(struct channel *to) : channel(to)
    {
    }
    DcmTransportConnection *createConnection(DcmNativeSocketType socket, OFBool secure) override;

  private:
    struct channel *channel;
};

/* A private listening socket on loopback. */
class Rendezvous
{
  public:
    Rendezvous();
    ~Rendezvous();
    Rendezvous(const Rendezvous &) = delete;
    Rendezvous &operator=(const Rendezvous &) = delete;
    bool good() const
    {
        return listener >= 0;
    }
    /* "127.0.0.1:40001" */
    const char *address() const
    {
        return text;
    }
    /* Puts the listening socket in the place of `socket`, and a caller in its queue. */
    bool replace(int socket);

  private:
    int listener, caller;
    uint16_t port;
    char text[32];
};

#endif
