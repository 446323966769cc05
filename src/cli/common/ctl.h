/* ctl.h - the frame of ovn-nbctl and ovn-sbctl: commands are data.
 *
 * A program is a table of command groups; a group is one noun (one file); a command says how it is called, what it reads (`needs`)
 * and what it does (`run`). From the table come the parser, --help, and what is asked of the server.
 *
 * How a line runs (run.c). The line is split at "--" into calls. Each call's `needs` names tables, columns and, where it can,
 * rows; exactly those are asked for (fetch.h). When they have arrived, all calls `run` in order over one view (view.h). A `run` that
 * finds that it needs more says so (ctl_need() is false; it returns CTL_AGAIN) and all run again when that has arrived. A wait-until
 * whose condition does not hold returns CTL_AGAIN, too; then the tables concerned are monitored, and everything is fetched and run
 * again when they change. In the end all changes go in one transaction; if what was read has changed meanwhile, everything
 * is fetched and run again. Output is printed after the transaction happened.
 *
 * Everything that a command allocates is in ctl->arena and goes away with the attempt; messages too.
 *
 * Who runs lines (main.c): the process itself, over a connection of its own; or, if it is told of one, a daemon (daemon.c) that
 * keeps a connection, to which the process only hands the words (client.c). A line is a struct ctl in both cases; it never ends the
 * process, and says of its end what it says at the end. */
#ifndef CLI_COMMON_CTL_H
#define CLI_COMMON_CTL_H 1

#include <getopt.h>
#include "base/hmap.h"
#include "cli/common/fatal.h"
#include "cli/common/view.h"

struct ctl;
struct table;

/* What `needs` and `run` return instead of a message: not now, run everything again when the database has changed. */
extern const char CTL_AGAIN[];
/* Returns from the calling function with what EXPR returns, if that is a message. */
#define TRY(EXPR) \
    do { \
        const char *error_ = (EXPR); \
        if (error_) { \
            return error_; \
        } \
    } while (0)

enum ctl_flags {
    CTL_WRITES = 1,                    /* May change the database. */
};

struct ctl_command {
    const char *name;
    const char *options;               /* "--if-exists --columns=COLUMN[,COLUMN]...": '=' where it takes an argument. */
    const char *arguments;             /* "SWITCH [PORT]..." */
    int min_args, max_args;            /* INT_MAX: any number. */
    const char *help;                  /* What it does; lines separated by \n. */
    const char *(*needs)(struct ctl *);
    const char *(*run)(struct ctl *);
    unsigned flags;
};
struct ctl_group {
    const char *title;                 /* "Logical switch commands" */
    const struct ctl_command *commands;        /* Ended by one without a name. */
};

/* How a table's rows are named on the command line, besides by UUID. A table may have several. */
struct ctl_name {
    const struct ovsdb_table_desc *table;
    uint16_t column;
    const char *key;                   /* In a map column; NULL: the column is a text. */
};

struct ctl_program {
    const char *title;                 /* "OVN northbound DB management utility" */
    const struct ovsdb_db_desc *db;
    const char *db_env, *options_env, *db_socket;      /* "OVN_NB_DB", "OVN_NBCTL_OPTIONS", "ovnnb_db.sock" */
    const char *daemon_env;            /* "OVN_NB_DAEMON" */
    const char *log_module;            /* "nbctl" */
    const struct ctl_group *const *groups;             /* Ended by NULL. */
    const struct ctl_name *names;      /* Ended by one without a table. */
    const struct ovsdb_table_desc *const *singletons;  /* Tables of one row, named "."; ended by NULL. */
    void (*note)(const char *text);    /* Logs at level INFO, in that module. */
    /* NULL, or how to wait for what was written to take effect (--wait): the columns of the only row of GLOBAL. */
    const struct ctl_wait {
        const struct ovsdb_table_desc *global;
        uint16_t nb_cfg, sb_cfg, hv_cfg, nb_timestamp, sb_timestamp, hv_timestamp;
    } *wait;
};

enum ctl_wait_for { CTL_WAIT_NONE, CTL_WAIT_SB, CTL_WAIT_HV };
enum table_format { TABLE_FORMAT_TABLE, TABLE_FORMAT_LIST, TABLE_FORMAT_HTML, TABLE_FORMAT_CSV, TABLE_FORMAT_JSON };
struct table_style {
    enum table_format format;
    enum datum_style cells;
    bool headings, pretty;
};

struct ctl_option {
    const char *name, *value;          /* "--id"; VALUE NULL if it has none. */
};
/* One command as it was called. */
struct ctl_call {
    const struct ctl_command *command;
    int argc;                          /* argv[0] is the command's name. */
    char **argv;
    struct ctl_option *options;
    size_t n_options;
    /* The last attempt's: */
    struct str out;
    struct table *table;
};

/* Where the rows for which a condition holds are. */
enum ctl_clause_state {
    CLAUSE_NEW,
    CLAUSE_SELECT,                     /* No index says: select. */
    CLAUSE_FOUND, CLAUSE_ABSENT,       /* The index says: UUID has it, nothing has it. */
    CLAUSE_FETCHED,
};
struct ctl_need_clause {
    struct hmap_node node;             /* In ctl_need.by_json. */
    char *json;                        /* RFC 7047 5.1, <condition>. */
    char *equals;                      /* NULL, or: it says that COLUMN is this text. */
    uint16_t column;
    enum ctl_clause_state state;
    struct uuid uuid;
};
/* What of a table the line needs. */
struct ctl_need {
    uint64_t columns, fetched;         /* Asked for; those that the store's rows have. */
    bool used, all, all_fetched;       /* All rows. */
    struct ctl_need_clause **clauses;  /* Conditions, any of which must hold. */
    size_t n_clauses, cap_clauses;
    struct hmap by_json;
};

struct ctl_symbol {
    struct ctl_symbol *next;
    const char *name;                  /* "@x" */
    struct uuid uuid;
    bool defined, created, referenced; /* By --id; of a create; by a value. */
    const struct ovsdb_table_desc *table;
};

/* What the command line said of the process, and not of the line. */
struct ctl_process {
    bool detach;                       /* Be the daemon. */
    const char *socket;                /* Where the daemon listens; NULL: there is none. */
    bool socket_given;                 /* By -u, not by the environment. */
    const char *not_by_daemon;         /* The option that says that no daemon is meant, or NULL. */
};

struct run;
struct fetch;
struct ctl {
    const struct ctl_program *program;
    struct loop *loop;
    struct ovsdb *db;                  /* Whoever made it destroys it. */
    /* What the command line said. */
    struct arena line;                 /* Lives as long as the line. */
    struct ctl_process process;
    struct ctl_option *forward;        /* Options that are the line's own, as a daemon understands them. */
    size_t n_forward, cap_forward;
    int n_words;                       /* What follows the options. */
    char **words;
    bool dashes;                       /* "--" stood between the two. */
    struct ctl_call first;             /* Has the options of the first command that stood among the others. */
    const char *remotes;
    struct ctl_call *calls;
    size_t n_calls;
    struct table_style style;
    bool oneline, dry_run, leader_only, shuffle, print_wait_time;
    enum ctl_wait_for wait;
    int timeout;                       /* Seconds; 0: none. */
    /* What it needs. */
    struct ctl_need *needs;            /* By table. */
    bool need_more;
    struct store store;                /* What of it is here. */
    /* This attempt. */
    struct arena arena;
    struct view view;
    struct ctl_call *call;             /* The one that runs. */
    struct ctl_symbol *symbols;
    struct str comment;
    bool force_wait;                   /* sync */
    struct run *run;                   /* How far it is (run.c); */
    struct fetch *fetch;               /* asked for, not answered (fetch.c). */
    struct str output;                 /* What there is to print at the end. */
    char *error;                       /* Or why it failed. */
    struct str warnings;               /* What was logged, a line each. */
};

/* ---- for commands ---- */

/* A message in the arena. */
const char *ctl_error(struct ctl *, const char *fmt, ...) PRINTF_LIKE(2, 3);
void ctl_print(struct ctl *, const char *fmt, ...) PRINTF_LIKE(2, 3);
void ctl_warn(struct ctl *, const char *fmt, ...) PRINTF_LIKE(2, 3);           /* To the log: ours and the client's. */
/* Argument I (0 is the command's name), or NULL if there are not so many. */
const char *ctl_arg(const struct ctl *, int i);
/* Whether the option ("--if-exists") was given to this command; its argument, or NULL. */
bool ctl_has(const struct ctl *, const char *option);
const char *ctl_option(const struct ctl *, const char *option);

/* Says that this line needs COLUMNS of TABLE in the rows for which CLAUSE (one condition in JSON; NULL: all rows) holds. True
 * if they are here already (never in `needs`, where nobody may look at rows yet). */
bool ctl_need(struct ctl *, const struct ovsdb_table_desc *, uint64_t columns, const char *clause);
bool ctl_need_all(struct ctl *, const struct ovsdb_table_desc *, uint64_t columns);
bool ctl_need_str(struct ctl *, const struct ovsdb_table_desc *, uint64_t columns, uint16_t column, const char *equals);
bool ctl_need_uuid(struct ctl *, const struct ovsdb_table_desc *, uint64_t columns, const struct uuid *);
/* Rows whose set COLUMN has UUID. */
bool ctl_need_referrer(struct ctl *, const struct ovsdb_table_desc *, uint64_t columns, uint16_t column, const struct uuid *);

/* ---- record.c: names on the command line ---- */

/* Tables and columns by unique abbreviation, upper and lower case, - and _ alike. */
const char *ctl_find_table(struct ctl *, const char *name, const struct ovsdb_table_desc **) MUST_USE;
const char *ctl_find_column(struct ctl *, const struct ovsdb_table_desc *, const char *name, const struct ovsdb_column_desc **) MUST_USE;
/* The database that we are connected to has TABLE and COLUMN (may be NULL), or a message. */
const char *ctl_check_has(struct ctl *, const struct ovsdb_table_desc *, const struct ovsdb_column_desc *) MUST_USE;
/* Says that this line needs COLUMNS of the record ID. */
const char *ctl_need_record(struct ctl *, const struct ovsdb_table_desc *, const char *id, uint64_t columns) MUST_USE;
/* The record ID: a UUID, a name, the beginning of a UUID, @name, or "." in a table of one row. *row is NULL if there is none and it need
 * not exist. */
const char *ctl_find_record(struct ctl *, const struct ovsdb_table_desc *, const char *id, bool must_exist, struct view_row **row) MUST_USE;
/* The symbol @NAME, made if it is new. */
struct ctl_symbol *ctl_symbol(struct ctl *, const char *name);
struct datum_parser ctl_parser(struct ctl *);
/* The only row of a table of one row, made (and the change noted) if there is none. */
struct view_row *ctl_singleton(struct ctl *, const struct ovsdb_table_desc *);

/* COLUMN[:KEY]=VALUE (write.c); ROW NULL: only checks. */
const char *database_set_one(struct ctl *, const struct ovsdb_table_desc *, struct view_row *row, const char *arg) MUST_USE;

/* ---- table.c ---- */

struct table *table_create(struct arena *, size_t n_columns);
void table_heading(struct table *, const char *);
void table_cell(struct table *, struct datum, const struct ovsdb_column_desc *);
void table_put(struct str *, const struct table *, const struct table_style *);

/* ---- the frame's own parts ---- */

/* end.c, and fatal.h */
/* As if SIGALRM had come, with a word to the log. */
noreturn void ctl_alarm(void);
void ctl_print_out(const char *text, size_t n);        /* To standard output, or else it ends the process. */
/* main.c */
int ctl_main(const struct ctl_program *, int argc, char *argv[]);
struct ovsdb *ctl_connect(struct ctl *);               /* As the command line says. */
/* A line begins with ctl_init() and ends with ctl_destroy(), wherever it stands then. */
void ctl_init(struct ctl *, const struct ctl_program *, struct loop *);
void ctl_destroy(struct ctl *);
/* The line as text, for the log and the database's log. */
void ctl_put_line(struct ctl *, int argc, char *argv[]);
void ctl_daemon(struct ctl *);         /* daemon.c */
noreturn void ctl_client(struct ctl *);        /* client.c */
/* options.c. Global options first: those of a command line (and of the environment), or those that a daemon takes with a line. Then the
 * commands. ARGV's texts must live as long as the ctl. */
const char *ctl_parse_options(struct ctl *, bool by_daemon, int argc, char *argv[]) MUST_USE;
const char *ctl_parse_calls(struct ctl *) MUST_USE;
const struct ctl_command *ctl_command_find(const struct ctl_program *, const char *name);
/* help.c */
void ctl_help(const struct ctl_program *, struct str *);
/* The table for other programs (--commands): a line a command, its fields separated by tabs. */
void ctl_list_commands(const struct ctl_program *, struct str *);
/* Of what was offered, the nearest to NAME, if any is near: begins with ctl_nearest(), goes on with ctl_offer(). */
struct ctl_nearest {
    const char *name, *nearest;        /* NEAREST NULL: none is near. */
    size_t distance;
};
struct ctl_nearest ctl_nearest(const char *name);
void ctl_offer(struct ctl_nearest *, const char *candidate);
/* " (did you mean 'X'?)", or "". */
const char *ctl_did_you_mean(struct ctl *, const struct ctl_nearest *);
/* refusal.c: what the server said of a transaction, in the user's terms. */
const char *ctl_refusal(struct ctl *, const char *error);
/* run.c. Begins; SHARED: c->db serves other lines, too, and has what ctl_use_wait() asks for. Then, once a cycle of the loop, ctl_step() until it
 * is true: the line has ended, c->error or c->output says how. */
void ctl_start(struct ctl *, bool shared);
bool ctl_step(struct ctl *) MUST_USE;
/* What --wait needs the replica to have; TIMES: --print-wait-time, too. */
void ctl_use_wait(const struct ctl_program *, struct ovsdb *, bool times);
void ctl_stop(struct ctl *);           /* Nothing more happens. */

/* Groups that both programs have. */
extern const struct ctl_group ctl_database_group;      /* database.c, write.c */
/* find.c */
const char *ctl_parse_condition(struct ctl *, const struct ovsdb_table_desc *, const char *arg, struct view_row *, bool *holds) MUST_USE;
const char *ctl_condition_column(struct ctl *, const struct ovsdb_table_desc *, const char *arg, const struct ovsdb_column_desc **) MUST_USE;
/* "COLUMN[:KEY]" at the beginning of ARG; *key NULL if there is none; *end is what follows. */
const char *ctl_parse_column_key(struct ctl *, const struct ovsdb_table_desc *, const char *arg, const struct ovsdb_column_desc **,
                                 union datum_atom **key, const char **end) MUST_USE;

#endif
