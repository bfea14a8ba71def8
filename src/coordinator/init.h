/* The init of a container: the first process of a pid namespace, with the program as its child. */
#ifndef INIT_H
#define INIT_H

/* The first argument that asks for it; the program and its arguments follow. No task has such a name and no process. */
#define INIT_WORD "--init"

/*
 * Runs a program as its child: forwards signals to it, reaps every process that loses its parent, and exits as the
 * program does, with 128 + N if signal N ended it.
 */
_Noreturn void be_init(char **program);

#endif
