/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the ASL templates and firmware.c must agree on. Plain numbers: iasl reads them too. */
#define DATA_BASE        0xEF000 /* data region: the board's numbers, then each bridge's */
#define DATA_BOARD_SIZE  0x80
#define DATA_BRIDGE_SIZE 0x80
#define RTC_PORT         0x70
#define UART_PORT        0x3F8
#define UART_GSI         4
#define SLEEP_PORT       0x600
#define CFG_ADDRESS_PORT 0xCF8
#define APEI_BASE        0xFED80000 /* registers of the firmware's errors, and their interrupt */
#define APEI_GSI         9
#define INTX_GSI_EVEN    16
#define INTX_GSI_ODD     20
