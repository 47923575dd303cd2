/* manual_config.c: trolley.ini(5). SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include <trolley/helpers.h>

#include "core/cli/manual.h"
#include "core/cli/message.h"
#include "core/cli/plugin_text.h"

static const char config_prose[] =
    "# DESCRIPTION\n"
    "An INI file says which servers there are, how to log in, and where images go. `trolley "
    "config\n"
    "example` prints a commented one, `trolley config check` tells what is wrong with yours.\n"
    "\n"
    "    [session pacs]\n"
    "    auth = basic\n"
    "    user = reader\n"
    "    password_env = PACS_PASSWORD\n"
    "\n"
    "    [searcher pacs-search]\n"
    "    type = qido-rs\n"
    "    url = https://pacs.example/dicom-web\n"
    "    session = pacs\n"
    "\n"
    "    [downloader pacs-wado]\n"
    "    type = wado-rs\n"
    "    url = https://pacs.example/dicom-web\n"
    "    session = pacs\n"
    "\n"
    "    [storage archive]\n"
    "    type = tree\n"
    "    path = /data/dicom\n"
    "\n"
    "    [trolley hospital]\n"
    "    searcher = pacs-search\n"
    "    downloader = pacs-wado\n"
    "    storage = archive\n"
    "# GRAMMAR\n"
    "A section begins with [KIND NAME]: the kind is the first word, the name the rest, unique for "
    "its\n"
    "kind. Keys are written in any case, - and _ alike; only `=` separates them from their value.\n"
    "\n"
    "A comment is a whole line that begins with ; or #, or what follows white space and a ; "
    "outside\n"
    "quotes. \"...\" takes a value as it stands, in it \\\" and \\\\ mean \" and \\.\n"
    "\n"
    "Keys that hold a list are repeated, one value a line; lists of section names are also split "
    "at\n"
    "commas, `plugin_path` at colons. Any other key that is there twice, and a section that is "
    "there\n"
    "twice, is an error, as are unknown keys and kinds of section.\n"
    "@`duration`\n"
    "250ms, 10s, 5m, 2h, 1d, or as ISO 8601 has it: PT1M.\n"
    "@`size`\n"
    "bytes, or 64KiB, 10MB.\n"
    "@`bool`\n"
    "yes or no.\n"
    "@`path`\n"
    "relative to the folder of the INI file; those of `plugin_path` are absolute.\n"
    "@`component`\n"
    "the name of a section.\n"
    "# SECRETS\n"
    "Where a key K is marked secret, one of these serves in its place:\n"
    "@`K_env`\n"
    "the name of an environment variable.\n"
    "@`K_file`\n"
    "a file; one newline at its end is cut off.\n"
    "@`K_command`\n"
    "a program with its arguments, run without a shell for 10 seconds at most when the secret is "
    "first\n"
    "needed and after a refused log-in, never by `trolley plugins`, `trolley config show` or the\n"
    "completion of shells.\n"
    "\n"
    "A file with secrets that others may read brings a warning, one that others may write is "
    "refused;\n"
    "so are folders of plugins that others may write.\n"
    "# SECTIONS\n"
    "%sections\n"
    "# PLUGINS\n"
    "These keys come on top of those of the section's kind. Plugins of your own tell theirs with\n"
    "`trolley plugins NAME`.\n"
    "%plugins\n"
    "# FILES\n"
    "See `trolley`(1).\n"
    "# SEE ALSO\n"
    "`trolley`(1), `trolley-plugin`(7)\n";

/* What the page's own function works with. */
struct config_page {
    struct manual manual; /* first: the insert function gets it */
    const char *const *types;
    size_t count;
    struct trolley_error *error;
    int failed;
};

/* "(type; required; default X; one of A,B; 1 to 9)" behind the help. */
static void config_facts(struct manual *manual, const struct trolley_option *option)
{
    struct kit_buffer text = {0};
    const bool component = option->type == TROLLEY_OPTION_COMPONENT;
    int r = kit_buffer_printf(&text, "(%s", plugin_type_name(option->type));

    if (r == 0 && (option->flags & TROLLEY_OPTION_SECRET)) r = kit_buffer_text(&text, "; secret");
    if (r == 0 && (option->flags & TROLLEY_OPTION_REQUIRED))
        r = kit_buffer_text(&text, "; required");
    if (r == 0 && (option->flags & TROLLEY_OPTION_DEPRECATED))
        r = kit_buffer_text(&text, "; deprecated");
    if (r == 0 && option->default_text)
        r = kit_buffer_printf(&text, "; default %s", option->default_text);
    if (r == 0 && option->choices && *option->choices)
        r = kit_buffer_printf(&text, component ? "; a [%s]" : "; one of %s", option->choices);
    if (r == 0 && option->type == TROLLEY_OPTION_INT && option->max && option->max < INT64_MAX)
        r = kit_buffer_printf(&text, "; %" PRId64 " to %" PRId64, option->min, option->max);
    if (r == 0) r = kit_buffer_text(&text, ")");
    if (r == 0)
        manual_line(manual, text.data);
    else
        manual->status = r;
    kit_buffer_free(&text);
}

/* Modes are octal in the file and so in its manual; the table has them as numbers. */
static bool config_is_mode(const struct trolley_option *option)
{
    return option->type == TROLLEY_OPTION_INT && option->default_text &&
           option->default_text[0] == '0' && option->default_text[1];
}

static void config_options(struct manual *manual, const struct trolley_span *options)
{
    uint32_t i;

    for (i = 0; options && i < options->count; i++) {
        struct trolley_option option;

        if (trolley_read_open(&option, sizeof option, trolley_span_at(options, i), 0) < 0) continue;
        if (config_is_mode(&option)) option.max = 0;
        manual_entry(manual, option.key, option.flags & TROLLEY_OPTION_PREFIX ? "NAME" : NULL);
        if (option.help) manual_printf(manual, "%s", option.help);
        config_facts(manual, &option);
    }
}

static void config_sections(struct manual *manual)
{
    static const char *const about[] = {"session",
                                        "what requests over HTTP share: log-in, TLS, "
                                        "limits",
                                        "trolley",
                                        "a searcher, downloaders and a storage at work "
                                        "together"};
    const char *kind;
    uint32_t i, k;

    for (i = 0; (kind = trolley_section_kind(i)); i++) {
        struct kit_buffer heading = {0};

        if (kit_buffer_printf(&heading, "## [%s%s]\n", kind,
                              strcmp(kind, "settings") == 0 ? "" : " NAME") == 0)
            manual_prose(manual, heading.data);
        kit_buffer_free(&heading);
        for (k = 0; k < sizeof about / sizeof about[0]; k += 2)
            if (strcmp(kind, about[k]) == 0) manual_printf(manual, "%s.", about[k + 1]);
        config_options(manual, trolley_section_options(kind));
    }
}

static void config_plugin(struct config_page *page, const char *name)
{
    const struct trolley_component *const *component;
    struct trolley_plugin_info info;

    if (page->failed < 0) return;
    page->failed = trolley_plugin_get(page->manual.cli->setup, name, &info, page->error);
    if (page->failed < 0) return;
    for (component = info.plugin->components; component && *component; component++) {
        const bool session = (*component)->kind == TROLLEY_KIND_AUTH;
        struct kit_buffer heading = {0};

        if (kit_buffer_printf(&heading, "## %s, in [%s NAME]\n", info.name,
                              session ? "session" : plugin_kind_name((*component)->kind)) == 0)
            manual_prose(&page->manual, heading.data);
        kit_buffer_free(&heading);
        manual_printf(&page->manual, "`%s = %s`: %s.", session ? "auth" : "type", info.name,
                      (*component)->summary ? (*component)->summary : info.name);
        if ((*component)->flags & TROLLEY_COMPONENT_HTTP)
            config_options(&page->manual, trolley_http_options());
        config_options(&page->manual, (*component)->options);
    }
}

static void config_any_plugin(void *ctx, const char *name)
{
    config_plugin(ctx, name);
}

static void config_insert(struct manual *manual, const char *what)
{
    struct config_page *page = (struct config_page *)(void *)manual;
    size_t i;

    if (strcmp(what, "sections") == 0) config_sections(manual);
    if (strcmp(what, "plugins") != 0) return;
    for (i = 0; i < page->count; i++)
        config_plugin(page, page->types[i]);
    if (page->count == 0) trolley_plugin_names(manual->cli->setup, config_any_plugin, page);
}

int manual_config(struct manual *manual, const char *const *types, size_t count,
                  struct trolley_error *error)
{
    struct config_page page = {*manual, types, count, error, 0};
    int r = trolley_setup_empty(&manual->cli->setup, error);

    if (r < 0) return r;
    page.manual.insert = config_insert;
    manual_title(&page.manual, "trolley.ini", "5", "configuration of trolley");
    manual_prose(&page.manual, config_prose);
    if (page.failed < 0) return page.failed;
    return page.manual.status < 0 ? cli_fail_kit(error, page.manual.status, "manual") : 0;
}
