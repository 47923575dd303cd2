/* log.h: how much is logged, and where it goes. SPDX-License-Identifier: MIT */
#ifndef CLI_LOG_H
#define CLI_LOG_H

#include "core/cli/console.h"
#include "core/cli/options.h"

/* Makes the console the library's log sink. Level: -q errors, -v info, -vv debug; else `setting`
 * (log_level of [settings]), else warnings. Called again once the INI file is read. */
void log_install(struct console *console, const struct cli_args *args, const char *setting);

#endif
