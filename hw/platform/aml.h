/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The compiled ASL templates; meson.build says which, asl/ has the sources. */
#ifndef PCILAB_HW_PLATFORM_AML_H
#define PCILAB_HW_PLATFORM_AML_H

#define AML_TABLE(name)                                                                            \
    extern const unsigned char name[];                                                             \
    extern const unsigned name##_len

AML_TABLE(aml_dsdt);
AML_TABLE(aml_errors);
AML_TABLE(aml_bridge0);
AML_TABLE(aml_bridge1);
AML_TABLE(aml_bridge2);
AML_TABLE(aml_bridge3);
AML_TABLE(aml_bridge4);
AML_TABLE(aml_bridge5);
AML_TABLE(aml_bridge6);
AML_TABLE(aml_bridge7);

#endif
