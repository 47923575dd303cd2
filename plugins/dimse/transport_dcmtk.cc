/* SPDX-License-Identifier: MIT */
#include "transport_dcmtk.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <new>

class ChannelConnection : public DcmTransportConnection
{
  public:
    ChannelConnection(DcmNativeSocketType socket, struct channel *to)
        : DcmTransportConnection(socket), channel(to)
    {
    }
    ~ChannelConnection() override
    {
        shut();
    }
    OFCondition serverSideHandshake() override
    {
        return EC_Normal;
    }
    OFCondition clientSideHandshake() override
    {
        return EC_Normal;
    }
    OFCondition renegotiate(const char *) override
    {
        return EC_Normal;
    }
    ssize_t read(void *buffer, size_t length) override
    {
        return channel_read(channel, buffer, length);
    }
    ssize_t write(void *buffer, size_t length) override
    {
        return channel_write(channel, buffer, length);
    }
    void close() override
    {
        shut();
    }
    void closeTransportConnection() override
    {
        shut();
    }
    unsigned long getPeerCertificateLength() override
    {
        return 0;
    }
    unsigned long getPeerCertificate(void *, unsigned long) override
    {
        return 0;
    }
    /* DCMTK counts whole seconds; the channel's own limit holds. */
    OFBool networkDataAvailable(int seconds) override
    {
        return channel_readable(channel, seconds == 0 ? 0 : channel->patience_ms);
    }
    /* Keeps DCMTK from looking at the socket itself. */
    OFBool isTransparentConnection() override
    {
        return OFFalse;
    }
    OFString &dumpConnectionParameters(OFString &text) override
    {
        return text;
    }

  private:
    void shut()
    {
        if (getSocket() >= 0) (void)::close(getSocket());
        setSocket(-1);
    }
    struct channel *channel;
};

DcmTransportConnection *ChannelLayer::createConnection(DcmNativeSocketType socket, OFBool)
{
    return new (std::nothrow) ChannelConnection(socket, channel);
}

Rendezvous::Rendezvous() : listener(-1), caller(-1), port(0)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    text[0] = '\0';
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0) return;
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 1) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) < 0) {
        (void)close(fd);
        return;
    }
    listener = fd;
    port = ntohs(address.sin_port);
    (void)snprintf(text, sizeof text, "127.0.0.1:%u", port);
}

Rendezvous::~Rendezvous()
{
    if (listener >= 0) (void)close(listener);
    if (caller >= 0) (void)close(caller);
}

bool Rendezvous::replace(int other)
{
    struct sockaddr_in address;

    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    caller = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return caller >= 0 && dup2(listener, other) >= 0 &&
           connect(caller, (struct sockaddr *)&address, sizeof address) == 0;
}
