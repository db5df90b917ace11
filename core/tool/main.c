/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
#include "tool/tool.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

static const Command commands[] = {
    {"run", "STUDY", "train, evaluate and write the result folder", command_run},
    {"check", "STUDY", "validate a study and print its plan; train nothing", command_check},
    {"compare", "STUDY", "strategies and backbones on the same images, in one table",
     command_compare},
    {"predict", "MODEL FILE...", "class probabilities of images", command_predict},
    {"list", "[KIND]", "installed components", command_list},
    {"show", "ID|--table", "a component's parameters, blocks, counts, citation", command_show},
    {"weights", "FILE", "tensors of a weights file", command_weights},
    {"weights convert", "IN OUT", "write a weights file under our names", command_weights},
    {"bench", "BACKBONE", "speed and memory of a backbone on this machine", command_bench},
};

static void print_help(FILE *to)
{
    fputs("usage: xenograft COMMAND [OPTION...]\n\nTransfer learning in medical image "
          "classification.\n\n",
          to);
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_autofree char *use = g_strdup_printf("%s %s", commands[i].name, commands[i].usage);
        fprintf(to, "  %-24s %s\n", use, commands[i].summary);
    }
    fputs("\n`xenograft COMMAND --help` describes one command. `xenograft --version` prints the "
          "version.\n",
          to);
}

int parse_options(const char *name, const GOptionEntry *entries, int *argc, char ***argv,
                  int min_words, int max_words)
{
    const Command *command = NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            command = &commands[i];
    g_assert(command != NULL);
    g_autoptr(GOptionContext) context = g_option_context_new(command->usage);
    g_option_context_set_summary(context, command->summary);
    g_option_context_add_main_entries(context, entries, NULL);
    g_autofree char *program = g_strdup_printf("xenograft %s", name);
    g_set_prgname(program);
    g_autoptr(GError) error = NULL;
    if (!g_option_context_parse(context, argc, argv, &error))
        return report_error(error, EXIT_WRONG_INPUT);
    const int words = *argc - 1;
    if (words < min_words || (max_words >= 0 && words > max_words)) {
        fprintf(stderr, "xenograft: usage: xenograft %s %s; found %d arguments\n", name,
                command->usage, words);
        return EXIT_WRONG_INPUT;
    }
    return -1;
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");
    if (argc < 2) {
        print_help(stderr);
        return EXIT_WRONG_INPUT;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("xenograft %s\n", xg_version());
        return EXIT_DONE;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++)
        if (strcmp(commands[i].name, argv[1]) == 0)
            return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "xenograft: unknown command \"%s\"; `xenograft --help` lists them\n", argv[1]);
    return EXIT_WRONG_INPUT;
}
