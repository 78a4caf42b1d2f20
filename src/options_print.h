/* options_print.h - what is told of options on stdout.
 *
 * Floor: top.  Main thread.
 */
#ifndef PEERPOST_OPTIONS_PRINT_H
#define PEERPOST_OPTIONS_PRINT_H

/* --help */
void options_print_help(void);

#endif
