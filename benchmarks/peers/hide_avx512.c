/* Preloaded (LD_PRELOAD) into a process: its CPUID instructions report no AVX-512 and no AMX.
 *
 * For libraries that choose kernels by the processor and have no setting for it.  Linux lets a
 * thread, and those that it starts, trap on CPUID (ARCH_CPUID, on processors with CPUID faulting);
 * the handler executes the instruction and clears the bits.  Elsewhere nothing changes.  Programs
 * that the process starts are left alone: a compiler has its own handler, and would end with a fault.
 *
 * Sources: Linux, man 2 arch_prctl; Intel, Software Developer's Manual, volume 2, CPUID.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define ARCH_CPUID 0x1012 /* arch_prctl: 0 makes CPUID trap, 1 lets it run */
#define BIT(n) (1u << (n))

static void emulate(int number, siginfo_t *info, void *context)
{
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    const unsigned char *code = (const unsigned char *)registers[REG_RIP];
    if (info->si_code != SI_KERNEL || code[0] != 0x0f || code[1] != 0xa2) {
        signal(number, SIG_DFL); /* a real fault: it is repeated, and ends the process */
        return;
    }
    unsigned leaf = registers[REG_RAX], part = registers[REG_RCX], a, b, c, d;
    syscall(SYS_arch_prctl, ARCH_CPUID, 1);
    __cpuid_count(leaf, part, a, b, c, d);
    syscall(SYS_arch_prctl, ARCH_CPUID, 0);
    if (leaf == 7 && part == 0) {
        /* F, DQ, IFMA, PF, ER, CD, BW, VL */
        b &= ~(BIT(16) | BIT(17) | BIT(21) | BIT(26) | BIT(27) | BIT(28) | BIT(30) | BIT(31));
        c &= ~(BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14)); /* VBMI, VBMI2, VNNI, BITALG, VPOPCNTDQ */
        d &= ~(BIT(2) | BIT(3) | BIT(8) | BIT(23)); /* 4VNNIW, 4FMAPS, VP2INTERSECT, FP16 */
        d &= ~(BIT(22) | BIT(24) | BIT(25));        /* AMX */
    } else if (leaf == 7 && part == 1) {
        a &= ~(BIT(4) | BIT(5) | BIT(21) | BIT(23)); /* AVX-VNNI, BF16, AMX-FP16, AVX-IFMA */
        d &= ~BIT(19);                               /* AVX10 */
    }
    registers[REG_RAX] = a;
    registers[REG_RBX] = b;
    registers[REG_RCX] = c;
    registers[REG_RDX] = d;
    registers[REG_RIP] += 2;
}

__attribute__((constructor)) static void hide(void)
{
    unsetenv("LD_PRELOAD");
    struct sigaction action = { .sa_sigaction = emulate, .sa_flags = SA_SIGINFO | SA_NODEFER };
    if (sigaction(SIGSEGV, &action, 0) == 0)
        syscall(SYS_arch_prctl, ARCH_CPUID, 0);
}
