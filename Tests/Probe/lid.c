// SPDX-License-Identifier: GPL-3.0-or-later
// A lid that a virtual machine has not: an input device with a lid switch, closed by SIGUSR1 and opened by SIGUSR2, there until
// this program ends. See the kernel's input/uinput and input/event-codes.
#include "probe.h"

#include <fcntl.h>
#include <linux/uinput.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int put(int device, int type, int code, int value) {
    struct input_event event = {.type = type, .code = code, .value = value};
    return write(device, &event, sizeof event) == sizeof event;
}

int lid(void) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    sigaddset(&signals, SIGUSR2);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    struct uinput_setup setup = {.id = {.bustype = BUS_HOST}};
    strcpy(setup.name, "Lid Switch");
    int device = open("/dev/uinput", O_WRONLY | O_CLOEXEC);
    if (device < 0 || ioctl(device, UI_SET_EVBIT, EV_SW) < 0 || ioctl(device, UI_SET_SWBIT, SW_LID) < 0 ||
        ioctl(device, UI_DEV_SETUP, &setup) < 0 || ioctl(device, UI_DEV_CREATE) < 0) {
        perror("/dev/uinput");
        return 1;
    }
    for (int number; sigwait(&signals, &number) == 0;)
        if (!put(device, EV_SW, SW_LID, number == SIGUSR1) || !put(device, EV_SYN, SYN_REPORT, 0)) {
            perror("/dev/uinput");
            return 1;
        }
    return 0;
}
