/* SPDX-License-Identifier: Apache-2.0 */
/*
 * att.c: mnemonics of x86-64 as assemblers of AT&T syntax have them. Zydis
 * writes its Intel names with a size behind, which mean something else there.
 */
#include <Zydis/Zydis.h>
#include <string.h>

#include "disasm/att.h"

struct rename {
	ZydisMnemonic mnemonic;
	const char *name;
};

static const struct rename NAMES[] = {
	{ ZYDIS_MNEMONIC_CBW, "cbtw" }, { ZYDIS_MNEMONIC_CWDE, "cwtl" },
	{ ZYDIS_MNEMONIC_CDQE, "cltq" }, { ZYDIS_MNEMONIC_CWD, "cwtd" },
	{ ZYDIS_MNEMONIC_CDQ, "cltd" }, { ZYDIS_MNEMONIC_CQO, "cqto" },
	{ ZYDIS_MNEMONIC_JZ, "je" }, { ZYDIS_MNEMONIC_JNZ, "jne" },
	{ ZYDIS_MNEMONIC_JNB, "jae" }, { ZYDIS_MNEMONIC_JNBE, "ja" },
	{ ZYDIS_MNEMONIC_JNL, "jge" }, { ZYDIS_MNEMONIC_JNLE, "jg" },
	{ ZYDIS_MNEMONIC_SETZ, "sete" }, { ZYDIS_MNEMONIC_SETNZ, "setne" },
	{ ZYDIS_MNEMONIC_SETNB, "setae" }, { ZYDIS_MNEMONIC_SETNBE, "seta" },
	{ ZYDIS_MNEMONIC_SETNL, "setge" }, { ZYDIS_MNEMONIC_SETNLE, "setg" },
	{ ZYDIS_MNEMONIC_CMOVZ, "cmove" }, { ZYDIS_MNEMONIC_CMOVNZ, "cmovne" },
	{ ZYDIS_MNEMONIC_CMOVNB, "cmovae" },
	{ ZYDIS_MNEMONIC_CMOVNBE, "cmova" },
	{ ZYDIS_MNEMONIC_CMOVNL, "cmovge" },
	{ ZYDIS_MNEMONIC_CMOVNLE, "cmovg" },
	{ ZYDIS_MNEMONIC_MOVSX, "movs" }, { ZYDIS_MNEMONIC_MOVSXD, "movs" },
	{ ZYDIS_MNEMONIC_MOVZX, "movz" },
	/* Of doublewords: SSE has instructions of the same names. */
	{ ZYDIS_MNEMONIC_STOSD, "stosl" }, { ZYDIS_MNEMONIC_LODSD, "lodsl" },
	{ ZYDIS_MNEMONIC_SCASD, "scasl" }, { ZYDIS_MNEMONIC_INSD, "insl" },
	{ ZYDIS_MNEMONIC_OUTSD, "outsl" },
};

/* What subtracts or divides into another register than %st has the other's name
 * since the first assembler of this syntax had it wrong. */
static const struct rename SWAPPED[] = {
	{ ZYDIS_MNEMONIC_FSUB, "fsubr" }, { ZYDIS_MNEMONIC_FSUBR, "fsub" },
	{ ZYDIS_MNEMONIC_FDIV, "fdivr" }, { ZYDIS_MNEMONIC_FDIVR, "fdiv" },
	{ ZYDIS_MNEMONIC_FSUBP, "fsubrp" }, { ZYDIS_MNEMONIC_FSUBRP, "fsubp" },
	{ ZYDIS_MNEMONIC_FDIVP, "fdivrp" }, { ZYDIS_MNEMONIC_FDIVRP, "fdivp" },
};

/* x87 instructions of which the operand's size is no choice. */
static const ZydisMnemonic ONE_SIZE[] = {
	ZYDIS_MNEMONIC_FLDCW, ZYDIS_MNEMONIC_FNSTCW, ZYDIS_MNEMONIC_FLDENV,
	ZYDIS_MNEMONIC_FNSTENV, ZYDIS_MNEMONIC_FNSAVE, ZYDIS_MNEMONIC_FRSTOR,
	ZYDIS_MNEMONIC_FBLD, ZYDIS_MNEMONIC_FBSTP, ZYDIS_MNEMONIC_FNSTSW,
};

/* Conversions and tests of which only a suffix tells the size in memory. */
static const ZydisMnemonic BY_SUFFIX[] = {
	ZYDIS_MNEMONIC_CVTSI2SD, ZYDIS_MNEMONIC_CVTSI2SS,
	ZYDIS_MNEMONIC_VCVTSI2SD, ZYDIS_MNEMONIC_VCVTSI2SS,
	ZYDIS_MNEMONIC_VCVTUSI2SD, ZYDIS_MNEMONIC_VCVTUSI2SS,
	ZYDIS_MNEMONIC_VCVTPD2PS, ZYDIS_MNEMONIC_VCVTPD2DQ,
	ZYDIS_MNEMONIC_VCVTTPD2DQ, ZYDIS_MNEMONIC_VCVTPD2UDQ,
	ZYDIS_MNEMONIC_VCVTTPD2UDQ, ZYDIS_MNEMONIC_VCVTQQ2PS,
	ZYDIS_MNEMONIC_VCVTUQQ2PS, ZYDIS_MNEMONIC_VFPCLASSPD,
	ZYDIS_MNEMONIC_VFPCLASSPS,
};

/* Integer instructions that may have no register to tell the size. */
static const ZydisInstructionCategory SIZED[] = {
	ZYDIS_CATEGORY_BINARY, ZYDIS_CATEGORY_LOGICAL, ZYDIS_CATEGORY_SHIFT,
	ZYDIS_CATEGORY_ROTATE, ZYDIS_CATEGORY_BITBYTE, ZYDIS_CATEGORY_DATAXFER,
	ZYDIS_CATEGORY_NOP, ZYDIS_CATEGORY_WIDENOP,
};

static bool
is_one_of(const ZydisMnemonic *all, size_t n, ZydisMnemonic m)
{
	for (size_t k = 0; k < n; k++)
		if (all[k] == m)
			return true;
	return false;
}

static const char *
renamed(const struct rename *all, size_t n, ZydisMnemonic m)
{
	for (size_t k = 0; k < n; k++)
		if (all[k].mnemonic == m)
			return all[k].name;
	return NULL;
}

static const char *
name_of(const ZydisDecodedInstruction *insn)
{
	const char *name = renamed(NAMES, countof(NAMES), insn->mnemonic);

	if (!name && insn->raw.modrm.mod == 3
	    && (insn->opcode == 0xdc || insn->opcode == 0xde))
		name = renamed(SWAPPED, countof(SWAPPED), insn->mnemonic);
	if (name)
		return name;
	if (insn->meta.category == ZYDIS_CATEGORY_STRINGOP) {
		if (insn->mnemonic == ZYDIS_MNEMONIC_MOVSD)
			return "movsl";
		if (insn->mnemonic == ZYDIS_MNEMONIC_CMPSD)
			return "cmpsl";
	}
	/* 64 bits in the code itself, which only this instruction may have. */
	if (insn->mnemonic == ZYDIS_MNEMONIC_MOV
	    && (insn->raw.imm[0].size == 64 || insn->raw.disp.size == 64))
		return "movabs";
	return ZydisMnemonicGetString(insn->mnemonic);
}

/* ---- suffixes ----------------------------------------------------------- */
static const char *
suffix_of_integer(unsigned bits)
{
	static const struct { unsigned bits; const char *suffix; } all[] = {
		{ 8, "b" }, { 16, "w" }, { 32, "l" }, { 64, "q" },
		{ 128, "x" }, { 256, "y" }, { 512, "z" },
	};

	for (size_t k = 0; k < countof(all); k++)
		if (all[k].bits == bits)
			return all[k].suffix;
	return "";
}

static const char *
suffix_of_x87(const char *name, unsigned bits)
{
	bool integer = name[1] == 'i';

	switch (bits) {
	case 16:
		return "s";
	case 32:
		return integer ? "l" : "s";
	case 64:
		return integer ? "ll" : "l";
	default:
		return "t";
	}
}

/** The operand in memory, unless a register beside it has its size. */
static const ZydisDecodedOperand *
sized_memory(const ZydisDecodedInstruction *insn,
	     const ZydisDecodedOperand *ops)
{
	const ZydisDecodedOperand *memory = NULL;
	bool shifts = insn->meta.category == ZYDIS_CATEGORY_SHIFT
		      || insn->meta.category == ZYDIS_CATEGORY_ROTATE;

	for (unsigned k = 0; k < insn->operand_count_visible; k++) {
		if (ops[k].type == ZYDIS_OPERAND_TYPE_MEMORY)
			memory = &ops[k];
		else if (ops[k].type == ZYDIS_OPERAND_TYPE_REGISTER && !shifts
			 && insn->mnemonic != ZYDIS_MNEMONIC_NOP)
			return NULL;
	}
	return memory;
}

static bool
is_sized(const ZydisDecodedInstruction *insn)
{
	if (insn->meta.isa_ext != ZYDIS_ISA_EXT_BASE
	    && insn->meta.isa_ext != ZYDIS_ISA_EXT_LONGMODE)
		return false;
	for (size_t k = 0; k < countof(SIZED); k++)
		if (SIZED[k] == insn->meta.category)
			return true;
	return false;
}

static const ZydisDecodedOperand *
any_memory(const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *ops)
{
	for (unsigned k = 0; k < insn->operand_count_visible; k++)
		if (ops[k].type == ZYDIS_OPERAND_TYPE_MEMORY)
			return &ops[k];
	return NULL;
}

static bool
is_extension(ZydisMnemonic m)
{
	return m == ZYDIS_MNEMONIC_MOVSX || m == ZYDIS_MNEMONIC_MOVSXD
	       || m == ZYDIS_MNEMONIC_MOVZX;
}

static const char *
suffix_of(const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *ops,
	  const char *name)
{
	const ZydisDecodedOperand *any = any_memory(insn, ops);
	const ZydisDecodedOperand *sized = any ? sized_memory(insn, ops) : NULL;

	if (insn->mnemonic == ZYDIS_MNEMONIC_CRC32)
		return suffix_of_integer(ops[1].size);
	if (any && is_one_of(BY_SUFFIX, countof(BY_SUFFIX), insn->mnemonic))
		return suffix_of_integer(any->size);
	if (any && insn->meta.category == ZYDIS_CATEGORY_X87_ALU)
		return is_one_of(ONE_SIZE, countof(ONE_SIZE), insn->mnemonic)
		       ? "" : suffix_of_x87(name, any->size);
	return sized && is_sized(insn) ? suffix_of_integer(sized->size) : "";
}

/* ---- Zydis' hooks ------------------------------------------------------- */
static ZyanStatus
append(ZydisFormatterBuffer *buffer, const char *text)
{
	ZyanString *s;
	ZyanStringView view;

	ZYAN_CHECK(ZydisFormatterBufferGetString(buffer, &s));
	ZYAN_CHECK(ZyanStringViewInsideBuffer(&view, text));
	return ZyanStringAppend(s, &view);
}

static ZyanStatus
print_mnemonic(const ZydisFormatter *f, ZydisFormatterBuffer *buffer,
	       ZydisFormatterContext *context)
{
	const ZydisDecodedInstruction *insn = context->instruction;
	const ZydisDecodedOperand *ops = context->operands;
	const char *name = name_of(insn);

	(void)f;
	if (!name)
		return ZYAN_STATUS_FAILED;
	if (insn->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
		ZYAN_CHECK(append(buffer, "l"));
	ZYAN_CHECK(append(buffer, name));
	if (!is_extension(insn->mnemonic))
		return append(buffer, suffix_of(insn, ops, name));
	ZYAN_CHECK(append(buffer, suffix_of_integer(ops[1].size)));
	return append(buffer, suffix_of_integer(ops[0].size));
}

/* "jmp *(%rax)" goes to what is read. */
static ZyanStatus
format_memory(const ZydisFormatter *f, ZydisFormatterBuffer *buffer,
	      ZydisFormatterContext *context)
{
	const struct att *att = context->user_data;

	if (context->instruction->meta.branch_type != ZYDIS_BRANCH_TYPE_NONE)
		ZYAN_CHECK(append(buffer, "*"));
	return att->memory(f, buffer, context);
}

static ZyanStatus
format_register(const ZydisFormatter *f, ZydisFormatterBuffer *buffer,
		ZydisFormatterContext *context)
{
	const struct att *att = context->user_data;

	if (context->instruction->meta.branch_type != ZYDIS_BRANCH_TYPE_NONE)
		ZYAN_CHECK(append(buffer, "*"));
	return att->reg(f, buffer, context);
}

static ZyanStatus
print_register(const ZydisFormatter *f, ZydisFormatterBuffer *buffer,
	       ZydisFormatterContext *context, ZydisRegister reg)
{
	static const char *const stack[] = {
		"%st", "%st(1)", "%st(2)", "%st(3)", "%st(4)", "%st(5)",
		"%st(6)", "%st(7)",
	};
	const struct att *att = context->user_data;

	if (ZydisRegisterGetClass(reg) == ZYDIS_REGCLASS_X87)
		return append(buffer, stack[ZydisRegisterGetId(reg) & 7]);
	return att->name(f, buffer, context, reg);
}

/* Zydis hands over what stood there, in the place of what is to. */
static bool
hook(ZydisFormatter *f, ZydisFormatterFunction which, const void *to,
     const void **below)
{
	*below = to;
	return ZYAN_SUCCESS(ZydisFormatterSetHook(f, which, below));
}

bool
att_begin(ZydisFormatter *f, struct att *att)
{
	const void *unused, *memory, *reg, *name;

	if (!hook(f, ZYDIS_FORMATTER_FUNC_PRINT_MNEMONIC,
		  (const void *)print_mnemonic, &unused)
	    || !hook(f, ZYDIS_FORMATTER_FUNC_FORMAT_OPERAND_MEM,
		     (const void *)format_memory, &memory)
	    || !hook(f, ZYDIS_FORMATTER_FUNC_FORMAT_OPERAND_REG,
		     (const void *)format_register, &reg)
	    || !hook(f, ZYDIS_FORMATTER_FUNC_PRINT_REGISTER,
		     (const void *)print_register, &name))
		return false;
	att->memory = (ZydisFormatterFunc)memory;
	att->reg = (ZydisFormatterFunc)reg;
	att->name = (ZydisFormatterRegisterFunc)name;
	return true;
}
