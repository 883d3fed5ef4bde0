/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flaws: ways in which the model can be made wrong, for tests of those who should notice.
 *
 * Each is a check left out, a message lost, a priority or a value that is not the specification's.
 * A machine has a set of them, which is empty unless `pcilab conform --mutate` fills it (it is that
 * of its struct sim; what has no clock at hand has a pointer to it). Whoever does what the
 * specification says asks for the flaw where the rule would act, and after its condition: where
 * nothing is wrong with a TLP nobody asks.
 *
 * To add one: a row here, and a question in the place that it spoils.
 */
#ifndef PCILAB_BASE_FLAW_H
#define PCILAB_BASE_FLAW_H

#include <stdbool.h>

/* Name, group of assertions that should notice, what is wrong. */
/* clang-format off */
#define FLAW_LIST(X)                                                                               \
    /* receiver */                                                                                 \
    X(MALFORMED_PAGE, "receiver", "a request that crosses 4 KiB is taken")                         \
    X(MALFORMED_EDGE, "receiver", "a longer request without byte enables at an edge is taken")     \
    X(MALFORMED_LAST, "receiver", "a request of one doubleword with last byte enables is taken")   \
    X(MALFORMED_HOLES, "receiver", "a long request whose byte enables have holes is taken")        \
    X(MALFORMED_TC, "receiver",                                                                    \
      "an I/O or configuration request with a traffic class or attributes is taken")               \
    X(MALFORMED_ATOMIC, "receiver", "an AtomicOp of a wrong size or alignment is taken")           \
    X(MALFORMED_LENGTH, "receiver", "a payload that is not as long as Length says is taken")       \
    X(MALFORMED_PAYLOAD, "receiver", "a payload of more than Max_Payload_Size is taken")           \
    X(MALFORMED_PREFIX, "receiver", "TLP prefixes that are not supported are taken")               \
    X(MALFORMED_TYPE, "receiver", "a type that the port does not know is taken")                   \
    X(MALFORMED_MESSAGE_TC, "receiver", "a message with another traffic class than 0 is taken")    \
    X(MALFORMED_INTX, "receiver", "an INTx message from above is no Malformed TLP")                \
    X(ECRC_UNCHECKED, "receiver", "ECRC Check Enable checks nothing")                              \
    X(RECEIVER_ONE, "receiver",                                                                    \
      "an error of no function in particular is logged by function 0 alone")                       \
    X(MALFORMED_AS_UR, "receiver", "a Malformed TLP is reported as an Unsupported Request")        \
    X(ECRC_AS_MALFORMED, "receiver", "a wrong ECRC is reported as a Malformed TLP")                \
    /* completion */                                                                               \
    X(COMPLETION_BYTE_COUNT, "completion", "Byte Count is that of the completion alone")           \
    X(COMPLETION_LOWER_ADDRESS, "completion", "Lower Address is 0")                                \
    X(COMPLETION_ID, "completion", "Completer ID is 0")                                            \
    X(COMPLETION_TC, "completion", "the traffic class is not that of the request")                 \
    X(COMPLETION_ATTR, "completion", "the attributes are not those of the request")                \
    X(COMPLETION_UR_AS_CA, "completion", "Unsupported Request becomes Completer Abort")            \
    X(COMPLETION_CA_AS_UR, "completion", "Completer Abort becomes Unsupported Request")            \
    X(COMPLETION_BOUNDARY, "completion",                                                           \
      "completions end anywhere, not at the read completion boundary")                             \
    X(COMPLETION_ZERO_LENGTH, "completion", "Byte Count of a zero-length read is 4")               \
    X(COMPLETION_NO_UR, "completion", "a request that is not supported is not completed")          \
    X(COMPLETER_POISON, "completion", "a poisoned write is carried out")                           \
    X(COMPLETER_PARITY, "completion", "Detected Parity Error is not set by a poisoned TLP")        \
    X(COMPLETER_SENT_CA, "completion", "Signaled Target Abort is not set")                         \
    X(COMPLETER_SILENT_UR, "completion", "an Unsupported Request is not logged")                   \
    X(COMPLETER_ABORT_AS_UR, "completion",                                                         \
      "a Completer Abort is logged as an Unsupported Request")                                     \
    X(UNEXPECTED_AS_UR, "completion", "a completion for nobody is an Unsupported Request")         \
    X(CONFIG_POISON, "completion", "a poisoned configuration write is carried out")                \
    X(CONFIG_ENABLES, "completion", "a configuration write ignores its byte enables")              \
    X(WRITE_ENABLES, "completion", "a memory write ignores holes in its byte enables")             \
    X(ATOMIC_RETURNS_NEW, "completion", "an AtomicOp returns the new value")                       \
    X(ATOMIC_CAS_SWAPS, "completion", "a compare that fails swaps all the same")                   \
    X(DMWR_LENGTH, "completion", "a Deferrable Memory Write of any length is carried out")         \
    /* requester */                                                                                \
    X(UNEXPECTED_SILENT, "requester", "an Unexpected Completion is not reported")                  \
    X(CHECK_TC, "requester", "a completion of another traffic class is taken")                     \
    X(CHECK_BYTE_COUNT, "requester", "Byte Count is not checked")                                  \
    X(CHECK_LOWER_ADDRESS, "requester", "Lower Address is not checked")                            \
    X(CHECK_RETRY, "requester", "Request Retry Status is taken for what cannot be retried")        \
    X(CHECK_POISON, "requester", "poisoned data are taken as good ones")                           \
    X(TIMEOUT_SILENT, "requester", "a Completion Timeout is not reported")                         \
    X(TIMEOUT_VALUE, "requester", "Completion Timeout Value has no effect")                        \
    X(TAGS_EXTENDED, "requester", "tags above 31 are used without Extended Tag Field Enable")      \
    X(REQUESTER_STATUS, "requester",                                                               \
      "Received Target Abort and Received Master Abort are not set")                               \
    X(MAX_READ_REQUEST, "requester", "Max_Read_Request_Size has no effect")                        \
    X(RELAXED_ORDERING, "requester", "relaxed ordering is used without its enable")                \
    X(ATOMIC_REQUESTER, "requester", "AtomicOps are sent without AtomicOp Requester Enable")       \
    /* routing */                                                                                  \
    X(BRIDGE_MEMORY_ENABLE, "routing", "Memory Space Enable of a bridge has no effect")            \
    X(BRIDGE_IO_ENABLE, "routing", "I/O Space Enable of a bridge has no effect")                   \
    X(BRIDGE_BUS_MASTER, "routing", "Bus Master Enable of a bridge has no effect")                 \
    X(BRIDGE_SUBORDINATE, "routing", "the subordinate bus number is no limit")                     \
    X(BRIDGE_WINDOW_LIMIT, "routing", "a memory window reaches 1 MiB beyond its limit")            \
    X(BRIDGE_PREFETCHABLE, "routing", "the prefetchable window is not decoded")                    \
    X(BRIDGE_ISA, "routing", "ISA Enable has no effect")                                           \
    X(ROUTE_BACK, "routing", "a request goes back down the port that it came from")                \
    X(ROUTE_UNCLAIMED, "routing", "what nobody in a switch claims goes up through its windows")    \
    X(CONFIG_FROM_BELOW, "routing", "a configuration request from below is routed")                \
    X(CONFIG_DEVICE, "routing", "configuration requests for other devices than 0 go over a link")  \
    X(CONFIG_TYPE, "routing", "configuration requests stay of type 1 on their bus")                \
    X(BROADCAST_FROM_BELOW, "routing", "a broadcast message from below is passed on")              \
    X(EGRESS_PREFIX, "routing", "End-End TLP Prefix Blocking has no effect")                       \
    X(EGRESS_POISON, "routing", "Poisoned TLP Egress Blocking has no effect")                      \
    X(EGRESS_ATOMIC, "routing", "AtomicOp Egress Blocking has no effect")                          \
    X(EGRESS_DMWR, "routing", "DMWr Egress Blocking has no effect")                                \
    X(ARI_FORWARDING, "routing", "ARI Forwarding Enable has no effect")                            \
    X(BUS_MASTER, "routing", "Bus Master Enable of a function has no effect")                      \
    X(MEMORY_ENABLE, "routing", "Memory Space Enable of a function has no effect")                 \
    X(D3_MEMORY, "routing", "a function in D3hot answers memory requests")                         \
    X(ROOT_TRANSLATED, "routing",                                                                  \
      "a root complex without a translation agent takes translated requests")                      \
    X(ROOT_PASID, "routing",                                                                       \
      "a root complex without a translation agent takes requests with PASID")                      \
    X(ROOT_INTERRUPT_RANGE, "routing",                                                             \
      "longer writes to the interrupt range are taken as interrupts")                              \
    /* acs */                                                                                      \
    X(ACS_SOURCE, "acs", "Source Validation has no effect")                                        \
    X(ACS_SUBORDINATE, "acs", "Source Validation knows no subordinate buses")                      \
    X(ACS_TRANSLATION, "acs", "Translation Blocking has no effect")                                \
    X(ACS_IO, "acs", "I/O Request Blocking has no effect")                                         \
    X(ACS_REQUEST, "acs", "P2P Request Redirect has no effect")                                    \
    X(ACS_COMPLETION, "acs", "P2P Completion Redirect has no effect")                              \
    X(ACS_RELAXED, "acs", "P2P Completion Redirect takes relaxed completions, too")                \
    X(ACS_EGRESS, "acs", "P2P Egress Control has no effect")                                       \
    X(ACS_VECTOR, "acs", "P2P Egress Control does not look at its vector")                         \
    X(ACS_DIRECT, "acs", "Direct Translated P2P has no effect")                                    \
    X(ACS_UPSTREAM, "acs", "Upstream Forwarding has no effect")                                    \
    X(ACS_UNCLAIMED, "acs", "Unclaimed Request Redirect has no effect")                            \
    X(ACS_AS_UR, "acs", "an ACS Violation is completed with Unsupported Request")                  \
    X(ROOT_ACS, "acs", "a root port leaves out its checks of messages, completions and I/O")       \
    /* aer */                                                                                      \
    X(AER_ADVISORY, "aer", "an advisory error is reported as a non-fatal one")                     \
    X(AER_ADVISORY_MASK, "aer", "Advisory Non-Fatal Error Mask has no effect")                     \
    X(AER_ADVISORY_LOG, "aer", "an advisory error is not in Uncorrectable Error Status")           \
    X(AER_ON_THE_WAY, "aer", "a poisoned TLP on its way is an error of its target")                \
    X(AER_SEVERITY, "aer", "Uncorrectable Error Severity has no effect")                           \
    X(AER_UNCOR_MASK, "aer", "Uncorrectable Error Mask has no effect")                             \
    X(AER_COR_MASK, "aer", "Correctable Error Mask has no effect")                                 \
    X(AER_COR_ENABLE, "aer", "Correctable Error Reporting Enable has no effect")                   \
    X(AER_UNCOR_ENABLE, "aer", "Non-Fatal and Fatal Error Reporting Enable have no effect")        \
    X(AER_UR_ENABLE, "aer", "Unsupported Request Reporting Enable has no effect")                  \
    X(AER_SERR_ENABLE, "aer", "SERR# Enable reports no errors")                                    \
    X(AER_DEVICE_STATUS, "aer", "Device Status shows no errors")                                   \
    X(AER_SIGNALED, "aer", "Signaled System Error is not set")                                     \
    X(AER_COR_LOST, "aer", "ERR_COR is not sent")                                                  \
    X(AER_NONFATAL_LOST, "aer", "ERR_NONFATAL is not sent")                                        \
    X(AER_FATAL_LOST, "aer", "ERR_FATAL is not sent")                                              \
    X(AER_BRIDGE_SERR, "aer", "error messages pass a bridge without its SERR# Enable")             \
    X(AER_BRIDGE_ENABLE, "aer", "error messages pass a bridge without its reporting enables")      \
    X(AER_BRIDGE_STATUS, "aer", "Received System Error of a bridge is not set")                    \
    X(AER_BRIDGE_POISON, "aer", "a poisoned TLP leaves no trace in the Status of bridges")         \
    X(AER_FIRST, "aer", "a later error takes the place of the first in the Header Log")            \
    X(AER_HEADER, "aer", "the Header Log stays empty")                                             \
    X(AER_PREFIX, "aer", "the TLP Prefix Log stays empty")                                         \
    X(AER_POINTER, "aer", "First Error Pointer stays when its error is cleared")                   \
    X(AER_OVERFLOW, "aer", "Header Log Overflow is not reported")                                  \
    X(AER_MULTI_HEADER, "aer", "Multiple Header Recording Enable has no effect")                   \
    X(AER_ROOT_MULTI_COR, "aer", "a second ERR_COR does not set its bit for several")              \
    X(AER_ROOT_MULTI, "aer",                                                                       \
      "a second ERR_FATAL or ERR_NONFATAL does not set the bit for several")                       \
    X(AER_ROOT_FIRST_FATAL, "aer", "First Uncorrectable Fatal is not set")                         \
    X(AER_ROOT_SOURCE, "aer", "Error Source Identification is that of the last error")             \
    X(AER_ROOT_INTERRUPT, "aer", "Root Error Command lets no interrupt out")                       \
    X(AER_ROOT_COMMAND, "aer", "errors interrupt whatever Root Error Command says")                \
    X(ECRC_GENERATE, "aer", "ECRC Generation Enable adds no digests")                              \
    /* dpc */                                                                                      \
    X(DPC_REASON, "dpc", "Trigger Reason is always an error of the port itself")                   \
    X(DPC_SOURCE, "dpc", "DPC Error Source ID stays 0")                                            \
    X(DPC_LINK, "dpc", "the link stays up in containment")                                         \
    X(DPC_INTERRUPT, "dpc", "DPC Interrupt Status is not set")                                     \
    X(DPC_INTERRUPT_ENABLE, "dpc", "DPC interrupts without DPC Interrupt Enable")                  \
    X(DPC_ERR_COR, "dpc", "DPC ERR_COR Enable sends nothing")                                      \
    X(DPC_SOFTWARE, "dpc", "DPC Software Trigger does nothing")                                    \
    X(DPC_AGAIN, "dpc", "what comes in containment triggers it again")                             \
    X(DPC_NONFATAL, "dpc", "ERR_NONFATAL triggers where ERR_FATAL alone should")                   \
    X(DPC_MESSAGE, "dpc", "the message that triggers goes on")                                     \
    X(DPC_ERROR, "dpc", "an error of the port itself does not trigger")                            \
    X(DPC_COMPLETION, "dpc", "DPC Completion Control has no effect")                               \
    X(DPC_DL_ACTIVE, "dpc", "DL_Active ERR_COR Enable sends nothing")                              \
    X(DPC_BUSY, "dpc", "DPC RP Busy is never set")                                                 \
    X(DPC_PIO_LOG, "dpc", "RP PIO Header Log stays empty")                                         \
    X(DPC_PIO_MASK, "dpc", "RP PIO Mask has no effect")                                            \
    X(DPC_PIO_SEVERITY, "dpc", "RP PIO Severity has no effect")                                    \
    X(DPC_PIO_STATUS, "dpc", "RP PIO Status shows completer aborts as unsupported requests")       \
    /* interrupt */                                                                                \
    X(INTX_DEASSERT, "interrupt", "Deassert_INTx is not sent")                                     \
    X(INTX_DISABLE, "interrupt", "Interrupt Disable has no effect")                                \
    X(INTX_STATUS, "interrupt", "Interrupt Status follows Interrupt Disable")                      \
    X(INTX_WITH_MSI, "interrupt", "INTx is used although MSI or MSI-X is enabled")                 \
    X(INTX_SWIZZLE, "interrupt", "a switch does not rotate INTx by device number")                 \
    X(INTX_LINK_DOWN, "interrupt", "INTx stays asserted when the link goes down")                  \
    X(MSI_MASK, "interrupt", "Mask Bits of MSI have no effect")                                    \
    X(MSI_PENDING, "interrupt", "a masked MSI is lost")                                            \
    X(MSI_VECTORS, "interrupt", "Multiple Message Enable has no effect")                           \
    X(MSI_DATA, "interrupt", "all vectors of MSI have the same data")                              \
    X(MSI_UNMASK, "interrupt", "a pending MSI is not sent when it is unmasked")                    \
    X(MSIX_FUNCTION_MASK, "interrupt", "Function Mask has no effect")                              \
    X(MSIX_MASK, "interrupt", "the Mask Bit of a vector of MSI-X has no effect")                   \
    X(MSIX_PENDING, "interrupt", "the Pending Bit of a masked vector is not set")                  \
    X(MSIX_UNMASK, "interrupt", "a pending MSI-X is not sent when it is unmasked")                 \
    X(MSIX_PENDING_STAYS, "interrupt", "a Pending Bit stays when its message is sent")             \
    /* power */                                                                                    \
    X(PME_LOST, "power", "PM_PME is not recorded by the root port")                                \
    X(PME_REQUESTER, "power", "PME Requester ID stays 0")                                          \
    X(PME_SECOND, "power", "a second PM_PME is lost while the first is shown")                     \
    X(PME_INTERRUPT, "power", "PME Interrupt Enable lets no interrupt out")                        \
    X(SLOT_POWER_LOST, "power", "Set_Slot_Power_Limit is not sent")                                \
    X(SLOT_POWER_CAPTURE, "power", "Captured Slot Power Limit stays 0")                            \
    X(LTR_LOST, "power", "LTR messages are not sent")                                              \
    X(LTR_ENABLE, "power", "LTR messages are sent without LTR Mechanism Enable")                   \
    X(LTR_UNSUPPORTED, "power", "an LTR message is taken where LTR is not enabled")                \
    X(LTR_STRICTEST, "power", "a switch passes on the last LTR message, not the strictest")        \
    X(PTM_RESPONSE, "power", "a PTM Request is not answered")                                      \
    X(PTM_ENABLE, "power", "PTM Requests are answered without PTM Enable")                         \
    /* reset */                                                                                    \
    X(FLR_MSIX, "reset", "a Function Level Reset forgets the MSI-X table")                         \
    X(FLR_KEPT, "reset", "a Function Level Reset changes what it must keep")                       \
    X(FLR_STICKY, "reset", "a Function Level Reset clears sticky bits")                            \
    X(HOT_STICKY, "reset", "a hot reset clears sticky bits")                                       \
    X(FLR_DEVICE, "reset", "a Function Level Reset leaves the device as it is")                    \
    X(FLR_NOTHING, "reset", "Initiate Function Level Reset does nothing")                          \
    X(HOT_RESET_DEVICE, "reset", "a hot reset leaves endpoints as they are")                       \
    X(HOT_RESET_BELOW, "reset", "a hot reset does not reach beyond a switch")                      \
    X(SECONDARY_RESET, "reset", "Secondary Bus Reset does nothing")                                \
    /* sriov */                                                                                    \
    X(VF_MEMORY_ENABLE, "sriov", "VF MSE has no effect")                                           \
    X(VF_NUMBER, "sriov", "NumVFs can be changed while Virtual Functions are enabled")             \
    X(VF_TOTAL, "sriov", "all Virtual Functions exist, not NumVFs")                                \
    X(VF_STAY, "sriov", "Virtual Functions stay when VF Enable is cleared")                        \
    X(VF_BAR_STRIDE, "sriov", "apertures of Virtual Functions ignore System Page Size")            \
    X(VF_BUS_MASTER, "sriov", "Bus Master Enable of a Virtual Function has no effect")             \
    /* ats */                                                                                      \
    X(ATS_ENABLE, "ats", "a function asks for translations without ATS Enable")                    \
    X(ATS_ITAG, "ats", "an invalidation is answered with another ITag")                            \
    X(ATS_KEPT, "ats", "an invalidation leaves the cache as it is")                                \
    X(ATS_DONE_LOST, "ats", "an invalidation is not answered")                                     \
    X(ATS_DONE_EARLY, "ats", "an invalidation is answered before older reads have ended")          \
    X(ATS_PERMISSION, "ats", "a translation that is read-only is used for writes")                 \
    X(ATS_NO_ACCESS, "ats", "a translation without any right is cached")                           \
    X(ATS_SPOILED, "ats", "a translation is used that was invalidated on its way")                 \
    X(ATS_DISABLE, "ats", "translations stay when ATS Enable is cleared")                          \
    /* pri */                                                                                      \
    X(PRI_ENABLE, "pri", "pages are requested without Page Request Enable")                        \
    X(PRI_ALLOCATION, "pri", "more pages are requested than the allocation allows")                \
    X(PRI_UNEXPECTED, "pri", "Unexpected Page Request Group Index is not set")                     \
    X(PRI_FAILURE, "pri", "a Response Failure does not stop the interface")                        \
    X(PRI_STOPPED, "pri", "Stopped is not set when the interface is disabled")                     \
    X(PRI_PASID, "pri", "a Page Group Response for another PASID is taken")                        \
    /* pasid */                                                                                    \
    X(PASID_ENABLE, "pasid", "PASIDs are used without PASID Enable")                               \
    X(PASID_WIDTH, "pasid", "PASIDs of more than Max PASID Width are used")                        \
    X(PASID_EXECUTE, "pasid", "Execute Requested is used without its enable")                      \
    X(PASID_PRIVILEGED, "pasid", "Privileged Mode Requested is used without its enable")           \
    /* hotplug */                                                                                  \
    X(SLOT_COMPLETED, "hotplug", "Command Completed is not set")                                   \
    X(SLOT_DLL_CHANGED, "hotplug", "Data Link Layer State Changed is not set")                     \
    X(SLOT_PRESENCE, "hotplug", "Presence Detect Changed is not set")                              \
    X(SLOT_INTERRUPT, "hotplug", "Hot-Plug Interrupt Enable has no effect")                        \
    X(SLOT_EVENT_ENABLE, "hotplug", "hot-plug events interrupt without their own enables")         \
    X(SLOT_POWER_OFF, "hotplug", "Power Controller Control does not switch power off")             \
    X(SLOT_FAULT, "hotplug", "Power Fault Detected is cleared while the fault lasts")              \
    X(SLOT_LATCH, "hotplug", "an open latch leaves power on")                                      \
    /* link */                                                                                     \
    X(LINK_DISABLE, "link", "Link Disable does nothing")                                           \
    X(LINK_RETRAIN, "link", "Retrain Link does nothing")                                           \
    X(LINK_TARGET_SPEED, "link", "Target Link Speed has no effect")                                \
    X(LINK_BANDWIDTH, "link", "Link Bandwidth Management Status is not set")                       \
    X(LINK_ACTIVE, "link", "Data Link Layer Link Active stays set when the link is down")          \
    X(LINK_SURPRISE, "link", "Surprise Down is reported where the slot allows it")                 \
    X(LINK_UNSENT, "link", "a request that finds the link of a switch down is not reported")       \
    X(LINK_SILENT_RECEIVER, "link", "Receiver Errors are not reported")                            \
    X(LINK_SILENT_BAD_TLP, "link", "Bad TLPs are not reported")                                    \
    X(LINK_SILENT_BAD_DLLP, "link", "Bad DLLPs are not reported")                                  \
    X(LINK_SILENT_REPLAY_TIMEOUT, "link", "REPLAY_TIMER Timeouts are not reported")                \
    X(LINK_SILENT_REPLAY_ROLLOVER, "link", "REPLAY_NUM Rollovers are not reported")                \
    X(LINK_SILENT_DL_PROTOCOL, "link", "Data Link Protocol Errors are not reported")               \
    X(LINK_SILENT_SURPRISE_DOWN, "link", "Surprise Down is not reported")                          \
    X(LINK_SILENT_OVERFLOW, "link", "Receiver Overflows are not reported")                         \
    X(LINK_SILENT_FLOW_CONTROL, "link", "Flow Control Protocol Errors are not reported")           \
    X(LINK_NAK, "link", "a TLP that cannot be used is not answered with NAK")                      \
    X(LINK_ACK, "link", "TLPs are not acknowledged")                                               \
    X(LINK_REPLAY, "link", "NAK does not begin a replay")                                          \
    X(LINK_DUPLICATE, "link", "a TLP that comes twice is not acknowledged again")                  \
    X(LINK_CREDITS, "link", "room in receive buffers is not given back")                           \
    X(LINK_FC_WRONG, "link", "a wrong UpdateFC DLLP is taken without an error")                    \
    /* vtd */                                                                                      \
    X(VTD_ROOT_RESERVED, "vtd", "reserved bits of root entries are not checked")                   \
    X(VTD_CONTEXT_RESERVED, "vtd", "reserved bits of context entries are not checked")             \
    X(VTD_SM_ROOT_RESERVED, "vtd", "reserved bits of scalable-mode root entries are not checked")  \
    X(VTD_SM_CONTEXT_RESERVED, "vtd",                                                              \
      "reserved bits of scalable-mode context entries are not checked")                            \
    X(VTD_DIRECTORY_RESERVED, "vtd", "reserved bits of PASID directory entries are not checked")   \
    X(VTD_PASID_RESERVED, "vtd", "reserved bits of PASID table entries are not checked")           \
    X(VTD_SS_RESERVED, "vtd", "reserved bits of second-stage entries are not checked")             \
    X(VTD_FS_RESERVED, "vtd", "reserved bits of first-stage entries are not checked")              \
    X(VTD_SS_WRITE, "vtd", "the second stage lets everybody write")                                \
    X(VTD_SS_READ, "vtd", "the second stage lets everybody read")                                  \
    X(VTD_FS_WRITE, "vtd", "the first stage lets everybody write")                                 \
    X(VTD_FS_USER, "vtd", "the first stage gives supervisor pages to user requests")               \
    X(VTD_FS_WP, "vtd", "Write Protect Enable has no effect")                                      \
    X(VTD_ACCESSED, "vtd", "accessed and dirty bits are not set")                                  \
    X(VTD_CANONICAL, "vtd", "addresses of the first stage need not be canonical")                  \
    X(VTD_TYPE, "vtd", "a translation type that the unit does not have is second stage")           \
    X(VTD_PASID_LARGE, "vtd", "PASIDs beyond the directory are not refused")                       \
    X(VTD_PASID_DISABLED, "vtd", "requests with PASID pass without PASIDE")                        \
    X(VTD_DEVICE_TLB, "vtd",                                                                       \
      "translated and translation requests pass where the context entry forbids them")             \
    X(VTD_PAGE_REQUESTS, "vtd", "Page Requests pass where the context entry forbids them")         \
    X(VTD_SUPERVISOR, "vtd", "privileged requests pass without Supervisor Request Enable")         \
    X(VTD_EXECUTE, "vtd", "execute requests are not refused")                                      \
    X(VTD_LEGACY_PASID, "vtd", "requests with PASID pass in legacy mode")                          \
    X(VTD_OUTPUT, "vtd", "translations may lead to the interrupt range")                           \
    X(VTD_PROTECTED, "vtd", "Protected Memory Regions are not protected")                          \
    X(VTD_TRANSLATION_OFF, "vtd", "Translation Enable has no effect")                              \
    X(VTD_FAULT_LOST, "vtd", "faults are not recorded")                                            \
    X(VTD_FAULT_DISABLE, "vtd", "Fault Processing Disable has no effect")                          \
    X(VTD_FAULT_OVERFLOW, "vtd", "Primary Fault Overflow is not set")                              \
    X(VTD_FAULT_OVERWRITE, "vtd", "a fault takes the place of one that software has not taken")    \
    X(VTD_FAULT_INDEX, "vtd", "Fault Record Index stays 0")                                        \
    X(VTD_FAULT_SOURCE, "vtd", "a fault record has no source")                                     \
    X(VTD_FAULT_ADDRESS, "vtd", "a fault record has no address")                                   \
    X(VTD_FAULT_REASON, "vtd", "every fault has the reason of one that is not present")            \
    X(VTD_FAULT_EVENT, "vtd", "a fault interrupts although its event is masked")                   \
    X(VTD_EVENT_PENDING, "vtd", "an event that was pending is lost when it is unmasked")           \
    X(VTD_FLUSH_CONTEXT, "vtd", "context-cache invalidations do nothing")                          \
    X(VTD_FLUSH_CONTEXT_DEVICE, "vtd", "a context-cache invalidation of one device does nothing")  \
    X(VTD_FLUSH_GLOBAL, "vtd", "a global IOTLB invalidation does nothing")                         \
    X(VTD_FLUSH_DOMAIN, "vtd", "an IOTLB invalidation of a domain does nothing")                   \
    X(VTD_FLUSH_PAGE, "vtd", "an IOTLB invalidation of pages does nothing")                        \
    X(VTD_FLUSH_ORDER, "vtd", "an IOTLB invalidation ignores its address mask")                    \
    X(VTD_FLUSH_PASID, "vtd", "an IOTLB invalidation of a PASID does nothing")                     \
    X(VTD_FLUSH_PASID_CACHE, "vtd", "PASID-cache invalidations do nothing")                        \
    X(VTD_FLUSH_INTERRUPT, "vtd", "interrupt entry cache invalidations do nothing")                \
    X(VTD_WAIT_STATUS, "vtd", "an Invalidation Wait writes no status")                             \
    X(VTD_WAIT_INTERRUPT, "vtd", "an Invalidation Wait does not interrupt")                        \
    X(VTD_WAIT_DRAINS, "vtd", "an Invalidation Wait does not wait for device TLBs")                \
    X(VTD_DESCRIPTOR_RESERVED, "vtd", "reserved bits of descriptors are not checked")              \
    X(VTD_DESCRIPTOR_SCALABLE, "vtd", "descriptors of scalable mode are taken in legacy mode")     \
    X(VTD_QUEUE_WIDTH, "vtd", "descriptors of 128 bits are taken in scalable mode")                \
    X(VTD_QUEUE_ERROR, "vtd", "Invalidation Queue Error is not set")                               \
    X(VTD_ITE, "vtd", "Invalidation Time-out Error is not set")                                    \
    X(VTD_ICE, "vtd", "Invalidation Completion Error is not set")                                  \
    X(VTD_ITAG_SOURCE, "vtd", "an answer to an invalidation is taken from anybody")                \
    X(VTD_PAGE_OVERFLOW, "vtd", "Page Request Overflow is not set")                                \
    X(VTD_PAGE_PENDING, "vtd", "Pending Page Request is not set")                                  \
    X(VTD_PAGE_LOST, "vtd", "a Page Request that is refused gets no response")                     \
    X(VTD_IR_SOURCE, "vtd", "the source of an interrupt is not verified")                          \
    X(VTD_IR_RESERVED, "vtd", "reserved bits of interrupt remapping entries are not checked")      \
    X(VTD_IR_PRESENT, "vtd", "interrupt remapping entries need not be present")                    \
    X(VTD_IR_INDEX, "vtd", "an index beyond the interrupt remapping table is not refused")         \
    X(VTD_IR_REQUEST, "vtd", "reserved bits of remappable interrupt requests are not checked")     \
    X(VTD_IR_COMPATIBLE, "vtd", "interrupts in compatibility format are not blocked")              \
    X(VTD_IR_OFF, "vtd", "Interrupt Remapping Enable has no effect")                               \
    /* nvme */                                                                                     \
    X(NVME_QID, "nvme", "queue identifiers are not checked when queues are created")               \
    X(NVME_QUEUE_SIZE, "nvme", "a queue of one entry is created")                                  \
    X(NVME_CONTIGUOUS, "nvme", "a queue that is not contiguous is created")                        \
    X(NVME_QUEUE_OFFSET, "nvme", "a queue that does not begin at a page is created")               \
    X(NVME_QUEUE_DELETION, "nvme",                                                                 \
      "deletion of a completion queue in use is an Invalid Queue Identifier")                      \
    X(NVME_ABORT_LIMIT, "nvme", "any number of Abort commands is taken")                           \
    X(NVME_MDTS, "nvme", "commands move more than MDTS allows")                                    \
    X(NVME_LBA_STATUS, "nvme", "an LBA out of range is an Invalid Field")                          \
    X(NVME_COMPARE, "nvme", "Compare finds everything equal")                                      \
    X(NVME_DOORBELL, "nvme", "a doorbell value outside the queue is no error")                     \
    X(NVME_DOORBELL_QUEUE, "nvme", "a doorbell of no queue is no error")                           \
    X(NVME_SQ_HEAD, "nvme", "completions have no submission queue head")                           \
    X(NVME_PHASE, "nvme", "the phase tag is not inverted when the queue wraps")                    \
    X(NVME_CID, "nvme", "completions have no command identifier")                                  \
    X(NVME_MORE, "nvme", "errors are not in the error log")                                        \
    X(NVME_FUSED, "nvme", "a fused operation that does not exist is carried out alone")            \
    X(NVME_SGL_ADMIN, "nvme", "Admin commands take PSDT as if it were 0")                          \
    X(NVME_MASK, "nvme", "INTMS masks nothing")                                                    \
    X(NVME_INTERRUPT, "nvme", "completions do not interrupt")                                      \
    X(NVME_INTERRUPT_ENABLE, "nvme", "completion queues interrupt without IEN")                    \
    /* viommu */                                                                                   \
    X(VIOMMU_PERMISSION, "viommu", "mappings give every right")                                    \
    X(VIOMMU_UNATTACHED, "viommu", "endpoints that are not attached bypass the unit")              \
    X(VIOMMU_EVENT, "viommu", "faults are not reported")                                           \
    X(VIOMMU_UNMAP, "viommu", "UNMAP leaves what is cached")                                       \
    X(VIOMMU_ATTACH_RESERVED, "viommu", "reserved fields of ATTACH are not checked")               \
    X(VIOMMU_MAP_FLAGS, "viommu", "flags of MAP that do not exist are taken")                      \
    X(VIOMMU_UNMAP_RESERVED, "viommu", "the reserved field of UNMAP is not checked")               \
    X(VIOMMU_STATUS, "viommu", "an endpoint that does not exist is Invalid, not No Entry")         \
    X(VIOMMU_RESV_MEM, "viommu", "PROBE tells of no reserved memory")
/* clang-format on */

enum flaw {
    FLAW_NONE,
#define FLAW_ENUM(name, group, what) FLAW_##name,
    FLAW_LIST(FLAW_ENUM)
#undef FLAW_ENUM
        FLAW_COUNT
};

struct flaws {
    bool any;
    bool on[FLAW_COUNT];
};

/* Flaws of nobody (NULL) are none. */
static inline bool flaw_any(const struct flaws *flaws)
{
    return flaws && __builtin_expect(flaws->any, 0);
}

static inline bool flaw_on(const struct flaws *flaws, enum flaw flaw)
{
    return flaw_any(flaws) && flaws->on[flaw];
}

static inline void flaw_set(struct flaws *flaws, enum flaw flaw)
{
    flaws->any = flaws->on[flaw] = flaw != FLAW_NONE;
}

const char *flaw_group(enum flaw flaw);
/* "a payload that is not as long as Length says is taken" */
const char *flaw_text(enum flaw flaw);

#endif
