/* manual_plugin.c: trolley-plugin(7). SPDX-License-Identifier: MIT */
#include <string.h>

#include "core/cli/manual.h"
#include "core/cli/plugin_text.h"

static const char plugin_prose[] =
    "# DESCRIPTION\n"
    "A plugin is a shared object that the key `type` of a section names: `type = acme` loads "
    "acme.so\n"
    "from the folders of `plugin_path`, then from the built-in one. It has one exported function "
    "and\n"
    "includes the headers of `trolley/` alone, so it is built outside of trolley's tree and "
    "serves\n"
    "every later version of the same major contract.\n"
    "\n"
    "    #include <trolley/plugin.h>\n"
    "\n"
    "    TROLLEY_EXPORT const struct trolley_plugin *\n"
    "    trolley_plugin_v1(void)\n"
    "    {\n"
    "        return &plugin;\n"
    "    }\n"
    "\n"
    "The function returns a constant table: name, version, license, and the components, at most "
    "one of\n"
    "each kind. It does nothing else: no allocation, no thread, no file.\n"
    "# COMPONENTS\n"
    "@`searcher`\n"
    "answers queries with records, one a study, series or instance.\n"
    "@`downloader`\n"
    "fetches what references name, and hands the bytes on as they come.\n"
    "@`storage`\n"
    "takes the bytes, and makes them final as a whole or not at all.\n"
    "@`auth`\n"
    "logs a session in where a server has a way of its own.\n"
    "\n"
    "A component declares its options, query types and levels as data. The host checks the INI "
    "file and\n"
    "the query against that before any code of the plugin runs, and makes samples, manuals and\n"
    "completions of it. An instance is used by one thread at a time; the host makes as many as it "
    "has\n"
    "workers. Functions block, return 0 or a negative status, and tell the reason with the task "
    "they\n"
    "were given; they ask it whether they are to end. The host alone repeats what failed.\n"
    "# OPTIONS\n"
    "An option has a key, a type, a default, and a line of help. The types:\n"
    "%types\n"
    "# SERVICES\n"
    "`trolley.http/1` has HTTP sessions with the credentials, TLS, proxy and limits of the "
    "section's\n"
    "`session`; `trolley.dictionary/1` has DICOM's keywords, tags and value representations.\n"
    "# BUILDING\n"
    "pkg-config knows the headers as `trolley-sdk`, with a kit of helpers that is linked "
    "statically:\n"
    "multipart answers, matching of keys, URLs, JSON, UIDs, buffers. `trolley-sdk-json` and\n"
    "`trolley-sdk-xml` add DICOM JSON and XML.\n"
    "\n"
    "    cc -shared -fPIC -o acme.so acme.c \\\n"
    "        $(pkg-config --cflags --libs trolley-sdk)\n"
    "\n"
    "A folder of plugins, and all above it, may be written by its owner and root alone.\n"
    "# CHECKING\n"
    "`trolley check-plugin FILE` tries the object against the contract, each check in a process of "
    "its\n"
    "own and without a server:\n"
    "%checks\n"
    "# SEE ALSO\n"
    "`trolley`(1), `trolley.ini`(5), and the guide that is installed with the headers.\n";

static void plugin_types(struct manual *manual)
{
    uint32_t type;

    for (type = TROLLEY_OPTION_STRING; type <= TROLLEY_OPTION_COMPONENT; type++) {
        if (type > TROLLEY_OPTION_STRING) manual_break(manual);
        manual_printf(manual, "`%s`", plugin_type_name(type));
    }
}

static void plugin_insert(struct manual *manual, const char *what)
{
    const char *name, *about = "";
    uint32_t i;

    if (strcmp(what, "types") == 0) plugin_types(manual);
    if (strcmp(what, "checks") != 0) return;
    for (i = 0; (name = trolley_plugin_check_name(i, &about)); i++) {
        manual_entry(manual, name, NULL);
        manual_printf(manual, "%s", about);
    }
}

int manual_plugin(struct manual *manual)
{
    manual->insert = plugin_insert;
    manual_title(manual, "trolley-plugin", "7", "how a plugin of trolley is made");
    manual_prose(manual, plugin_prose);
    return manual->status;
}
