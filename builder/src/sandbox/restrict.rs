//! Restricts a process in the sandbox: resources, capabilities, files and system calls.

use std::io;
use std::path::PathBuf;

use super::plan::Plan;
use isolate::calls::{BackendError, Comparison, Condition, Filter, Length, X32};
use isolate::limits::Limits;
use isolate::resources;
use isolate::step::{At as _, Refusal, Step};
use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr,
    RulesetCreatedAttr, Scope, path_beneath_rules,
};
use nix::libc;
use nix::sys::personality::{self, Persona};
use rustix::process::{DumpableBehavior, Resource, set_dumpable_behavior};

/// The number of open files: more than a compiler needs, and the same on all machines.
const OPEN_FILES: u64 = 4096;
/// Bytes of the stack of a main thread, which is the default of Linux.
const STACK: u64 = 8 << 20;

/// Restricts this process, and all processes that it starts, to what a compiler needs.
pub(super) fn restrict(plan: &Plan, limits: Limits) -> Result<(), Refusal> {
    limit_resources(limits).at(Step::Limits)?;
    fix_address_space().at(Step::AddressSpace)?;
    give_up_capabilities().at(Step::Capabilities)?;
    restrict_files(&plan.writable).at(Step::Landlock)?;
    filter_system_calls().at(Step::SystemCalls)
}

/// The kernel does not limit the number of root's processes; for root, only the first process enforces the limit.
fn limit_resources(limits: Limits) -> io::Result<()> {
    resources::set(Resource::Core, 0)?;
    resources::set(Resource::Nproc, limits.process_ceiling())?;
    resources::set(Resource::Nofile, OPEN_FILES)?;
    Ok(resources::set(Resource::Stack, STACK)?)
}

/// A program that sorts by address then has the same order each time.
fn fix_address_space() -> io::Result<()> {
    let persona = personality::get()?;
    personality::set(persona | Persona::ADDR_NO_RANDOMIZE)?;
    Ok(())
}

fn give_up_capabilities() -> io::Result<()> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(isolate::privileges::give_up()?)
}

/// A second protection in addition to read-only mounts. A kernel without Landlock has only the first.
fn restrict_files(writable: &[PathBuf]) -> io::Result<()> {
    ruleset(writable).map_err(io::Error::other)
}

fn ruleset(writable: &[PathBuf]) -> Result<(), landlock::RulesetError> {
    let all = AccessFs::from_all(ABI::V5);
    Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(all)?
        .handle_access(AccessNet::from_all(ABI::V4))?
        .scope(Scope::from_all(ABI::V6))?
        .create()?
        .add_rules(path_beneath_rules(["/"], AccessFs::from_read(ABI::V5)))?
        .add_rules(path_beneath_rules(writable, all))?
        .add_rules(path_beneath_rules(["/dev"], all))?
        .restrict_self()
        .map(drop)
}

fn filter_system_calls() -> io::Result<()> {
    denied().map_err(io::Error::other)?.apply(libc::EPERM)?;
    Filter::of(&UNKNOWN).apply(libc::ENOSYS)
}

/// Calls that fail as if the kernel did not have them. A filter cannot read the flags of `clone3`; the C library then uses
/// `clone`. The others create memory that belongs to no process and no file system, and so has no limit.
const UNKNOWN: [i64; 4] = [
    libc::SYS_clone3,
    libc::SYS_memfd_create,
    libc::SYS_memfd_secret,
    libc::SYS_shmget,
];

/// Calls that a compiler does not need and that exploits use, new namespaces and the network.
fn denied() -> Result<Filter, BackendError> {
    let mut filter = Filter::of(&[&NEVER[..], &X32_ONLY].concat());
    for flag in NEW_NAMESPACES {
        let flag = u64::from(flag.unsigned_abs());
        let set = Condition::new(0, Length::Qword, Comparison::MaskedEq(flag), flag)?;
        filter.add_if(libc::SYS_clone, vec![set])?;
    }
    let local = u64::from(libc::AF_UNIX.unsigned_abs());
    for call in [libc::SYS_socket, libc::SYS_socketpair] {
        let other = Condition::new(0, Length::Dword, Comparison::Ne, local)?;
        filter.add_if(call, vec![other])?;
    }
    Ok(filter)
}

/// Calls whose x32 number is not the usual one with [`X32`] added (Linux, `syscall_64.tbl`).
const X32_ONLY: [i64; 4] = [X32 | 521, X32 | 528, X32 | 539, X32 | 540];

const NEW_NAMESPACES: [i32; 8] = [
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWUTS,
    // CLONE_NEWTIME (Linux, `sched.h`); for `clone` it is part of the signal number.
    0x80,
];

const NEVER: [i64; 50] = [
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_adjtimex,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_fanotify_init,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_ioperm,
    libc::SYS_iopl,
    libc::SYS_kexec_file_load,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_lookup_dcookie,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_personality,
    libc::SYS_pidfd_getfd,
    libc::SYS_pivot_root,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_setdomainname,
    libc::SYS_sethostname,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
];
