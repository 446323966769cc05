/* commands.h - control commands of ovn-controller that look at its work (ovn-controller(8)); those about its life are in main.c, those about what is bound in binding/. */
#ifndef CONTROLLER_COMMANDS_H
#define CONTROLLER_COMMANDS_H 1

#include "controller/controller.h"
#include "runtime/unixctl.h"

void commands_register(struct controller *);           /* commands.c: lists and tables. */
void inject_register_commands(struct controller *);    /* inject.c */

#endif
