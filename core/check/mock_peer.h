/* mock_peer.h: the searcher that COMPONENT options of a plugin under examination name. It knows the
 * sample. SPDX-License-Identifier: MIT */
#ifndef CORE_CHECK_MOCK_PEER_H
#define CORE_CHECK_MOCK_PEER_H

#include "core/plugin/setup.h"

/* Fills *peer and hangs it into the setup, from which it must be taken before that is closed. */
int mock_peer_init(struct component *peer, struct trolley_setup *setup);
void mock_peer_clear(struct component *peer);

#endif
