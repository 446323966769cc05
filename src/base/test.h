/* test.h - what a unit test includes: cmocka, with the headers it wants before it. */
#ifndef BASE_TEST_H
#define BASE_TEST_H 1

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#endif
