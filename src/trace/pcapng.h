/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The form of our packets in pcapng files (draft-ietf-opsawg-pcapng): what stands before an event's
 * own bytes, little-endian. docs/wireshark.md describes it for other readers.
 */
#ifndef PCILAB_SRC_TRACE_PCAPNG_H
#define PCILAB_SRC_TRACE_PCAPNG_H

#define PCAPNG_SECTION         0x0a0d0d0au
#define PCAPNG_INTERFACE       1u
#define PCAPNG_PACKET          6u
#define PCAPNG_MAGIC           0x1a2b3c4du
#define PCAPNG_OPT_END         0u
#define PCAPNG_OPT_COMMENT     1u
#define PCAPNG_OPT_APPLICATION 4u /* of sections */
#define PCAPNG_OPT_NAME        2u /* of interfaces */
#define PCAPNG_OPT_TSRESOL     9u
#define PCAPNG_OPT_FLAGS       2u /* of packets */
#define PCAPNG_LINKTYPE_USER0  147u
#define PCAPNG_PACKET_FIXED    32u /* of a packet block, without packet and options */

/* The header: version, kind (enum trace_kind), flags, number of the point in its kind, lengths of
 * two names, length of the head, time in picoseconds; then the names of the component and of where
 * a TLP goes, then what is the kind's own. */
#define EVENT_VERSION   0
#define EVENT_KIND      1
#define EVENT_FLAGS     2
#define EVENT_POINT     3
#define EVENT_FROM_LEN  4
#define EVENT_TO_LEN    5
#define EVENT_HEAD_LEN  6
#define EVENT_TIME      8
#define EVENT_HEADER    16
#define EVENT_FLAG_DOWN 1u

/* A field of a point: length of its name, its name, enum trace_field_type, value, length of its
 * word, the word. */
#define FIELD_FIXED 11

#endif
