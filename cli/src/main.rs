//! The `diorama` program. Everything is in the library, so that tests can reach it.

#[expect(
    unsafe_code,
    reason = "changing the environment is only safe in one thread"
)]
fn main() -> std::process::ExitCode {
    // Mesa's Vulkan layer that puts devices in the order of a display complains on standard error where there
    // is no display, as on servers. We choose devices ourselves.
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        // SAFETY: no other thread has been started.
        unsafe { std::env::set_var("NODEVICE_SELECT", "1") };
    }
    diorama::run(std::env::args_os())
}
