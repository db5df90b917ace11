/* SPDX-FileCopyrightText: 2026 The xenograft authors
 * SPDX-License-Identifier: MIT */
/**
 * @file isa.h
 * The kernels' sources are compiled once per instruction set (XG_ISA: base, avx2, avx512, neon);
 * this gives what they share a name of its own in each.
 */
#ifndef XG_OB_ISA_H
#define XG_OB_ISA_H

#define ISA_PASTE_(name, isa) name##_##isa
#define ISA_PASTE(name, isa) ISA_PASTE_(name, isa)
#define ISA(name) ISA_PASTE(name, XG_ISA)

#define makers ISA(makers)
#define gemm_block ISA(gemm_block)
#define gemm_pack ISA(gemm_pack)
#define gemm_pack_left ISA(gemm_pack_left)
#define gemm_outer ISA(gemm_outer)
#define gemm_outer_suits ISA(gemm_outer_suits)
#define gemm_pack_outer ISA(gemm_pack_outer)
#define gemm_tiles ISA(gemm_tiles)
#define gemm_row ISA(gemm_row)
#define row_highest ISA(row_highest)
#define softmax_rows ISA(softmax_rows)
#define softmax_grad_rows ISA(softmax_grad_rows)
#define gather_rows ISA(gather_rows)
#define phase_forward ISA(phase_forward)
#define phases_backward ISA(phases_backward)
#define depthwise_pack ISA(depthwise_pack)
#define depthwise_line ISA(depthwise_line)
#define winograd_suits ISA(winograd_suits)
#define winograd_prepare ISA(winograd_prepare)
#define winograd_suits_gradient ISA(winograd_suits_gradient)
#define winograd_prepare_weight ISA(winograd_prepare_weight)
#define winograd_prepare_gradient ISA(winograd_prepare_gradient)
#define pool_new ISA(pool_new)
#define activate ISA(activate)
#define activation_of ISA(activation_of)

#define conv_makers ISA(conv_makers)
#define conv_weight_makers ISA(conv_weight_makers)
#define depthwise_makers ISA(depthwise_makers)
#define depthwise_block_makers ISA(depthwise_block_makers)
#define depthwise_weight_makers ISA(depthwise_weight_makers)
#define dropout_makers ISA(dropout_makers)
#define elementwise_makers ISA(elementwise_makers)
#define loss_makers ISA(loss_makers)
#define lrn_makers ISA(lrn_makers)
#define norm_makers ISA(norm_makers)
#define norm_grad_makers ISA(norm_grad_makers)
#define row_makers ISA(row_makers)
#define pool_makers ISA(pool_makers)
#define pool_grad_makers ISA(pool_grad_makers)
#define shape_makers ISA(shape_makers)
#define attention_makers ISA(attention_makers)
#define token_makers ISA(token_makers)

#endif
