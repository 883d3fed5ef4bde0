/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers of the format, for those who write and read it. */
#ifndef PCILAB_IO_RECORD_FORMAT_H
#define PCILAB_IO_RECORD_FORMAT_H

#define RECORD_MAGIC           "pcilabR\n"
#define RECORD_MAGIC_BYTES     8u
#define RECORD_VERSION         1u
#define RECORD_HEAD_BYTES      16u /* before the description */
#define RECORD_DESCRIPTION_MAX (1u << 20)
#define RECORD_ENTRY_BYTES     16u /* before the data */
#define RECORD_CRC_BYTES       4u
#define RECORD_MARK_BYTES      8u
#define RECORD_END_BYTES       16u
#define RECORD_SOURCES_MAX     256u

#endif
