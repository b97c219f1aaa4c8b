//! OpenImageDenoise 2.x, loaded at run time when it is installed.
//!
//! The library is looked for at the path given, else at the path in `DIORAMA_OIDN` (each a file, or
//! a folder that holds the library), else under its standard names wherever the system's loader
//! looks. It runs on the CPU device, in HDR mode, with noisy albedo and normal guides. Its bits are
//! those of the installed version: the determinism contract covers the built-in denoiser only.
#![expect(unsafe_code, reason = "calls a C library through function pointers")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::{Path, PathBuf};

use glam::Vec3;
use libloading::Library;

use super::DenoiseInput;

/// Environment variable that names the library or its folder.
pub const OIDN_VARIABLE: &str = "DIORAMA_OIDN";

/// File names the library goes by, most specific first.
const NAMES: &[&str] = if cfg!(target_os = "windows") {
    &["OpenImageDenoise.dll"]
} else if cfg!(target_os = "macos") {
    &["libOpenImageDenoise.2.dylib", "libOpenImageDenoise.dylib"]
} else {
    &["libOpenImageDenoise.so.2", "libOpenImageDenoise.so"]
};

/// Why OpenImageDenoise cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OidnError {
    /// No library could be opened.
    #[error("OpenImageDenoise not found (looked for {tried}): {reason}")]
    NotFound {
        /// Paths and names tried, separated by commas.
        tried: String,
        /// What the loader said about the last one.
        reason: String,
    },
    /// The library opened is not OpenImageDenoise 2.x.
    #[error("`{path}` is not OpenImageDenoise 2.x: {reason}")]
    Unsuitable {
        /// Library that was opened.
        path: PathBuf,
        /// Missing function, or the version found.
        reason: String,
    },
    /// The library refused to work.
    #[error("OpenImageDenoise: {0}")]
    Failed(String),
}

impl OidnError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotFound { .. } | Self::Unsuitable { .. } => Some(
                "use `--denoise builtin`, or install OpenImageDenoise 2 (`pip install pyoidn` holds it) \
                 and set DIORAMA_OIDN to libOpenImageDenoise.so or its folder",
            ),
            Self::Failed(_) => Some("use `--denoise builtin`"),
        }
    }
}

type Handle = *mut c_void;

/// The dozen functions used; signatures of oidn.h 2.0.
struct Functions {
    new_device: unsafe extern "C" fn(kind: c_int) -> Handle,
    set_device_int: unsafe extern "C" fn(Handle, *const c_char, c_int),
    set_device_bool: unsafe extern "C" fn(Handle, *const c_char, bool),
    get_device_int: unsafe extern "C" fn(Handle, *const c_char) -> c_int,
    commit_device: unsafe extern "C" fn(Handle),
    device_error: unsafe extern "C" fn(Handle, *mut *const c_char) -> c_int,
    release_device: unsafe extern "C" fn(Handle),
    new_filter: unsafe extern "C" fn(Handle, *const c_char) -> Handle,
    set_image: unsafe extern "C" fn(
        Handle,
        *const c_char,
        *mut c_void,
        c_int,
        usize,
        usize,
        usize,
        usize,
        usize,
    ),
    set_filter_bool: unsafe extern "C" fn(Handle, *const c_char, bool),
    commit_filter: unsafe extern "C" fn(Handle),
    execute_filter: unsafe extern "C" fn(Handle),
    release_filter: unsafe extern "C" fn(Handle),
}

/// `OIDN_DEVICE_TYPE_CPU`.
const DEVICE_CPU: c_int = 1;
/// `OIDN_FORMAT_FLOAT3`.
const FORMAT_FLOAT3: c_int = 3;
/// `OIDN_ERROR_NONE`.
const ERROR_NONE: c_int = 0;

/// A loaded OpenImageDenoise with one CPU device.
pub struct Oidn {
    functions: Functions,
    device: Handle,
    version: c_int,
    path: PathBuf,
    /// Keeps the functions valid; dropped after [`Drop::drop`] has released the device.
    _library: Library,
}

// SAFETY: oidn.h states that all API functions are thread-safe; calls on one device are serialised
// by the library. The handle belongs to no thread.
unsafe impl Send for Oidn {}
// SAFETY: as above.
unsafe impl Sync for Oidn {}

impl std::fmt::Debug for Oidn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Oidn")
            .field("path", &self.path)
            .field("version", &self.version())
            .finish_non_exhaustive()
    }
}

/// Where to look for the library, in order.
fn candidates(path: Option<&Path>) -> Vec<PathBuf> {
    let named = path.map(Path::to_path_buf).or_else(|| {
        std::env::var_os(OIDN_VARIABLE)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    });
    match named {
        Some(folder) if folder.is_dir() => NAMES.iter().map(|name| folder.join(name)).collect(),
        Some(file) => vec![file],
        None => NAMES.iter().map(PathBuf::from).collect(),
    }
}

impl Oidn {
    /// Finds the library (see the module text) and starts a CPU device with `threads` threads
    /// (`None`: as many as the library likes).
    pub fn load(path: Option<&Path>, threads: Option<usize>) -> Result<Self, OidnError> {
        let candidates = candidates(path);
        let mut reason = String::new();
        for candidate in &candidates {
            // SAFETY: loading runs the initialisers of a library that the user installed or named;
            // OpenImageDenoise's have no preconditions.
            match unsafe { Library::new(candidate) } {
                Ok(library) => return Self::start(library, candidate.clone(), threads),
                Err(error) => reason = error.to_string(),
            }
        }
        let tried: Vec<String> = candidates
            .iter()
            .map(|candidate| candidate.display().to_string())
            .collect();
        Err(OidnError::NotFound {
            tried: tried.join(", "),
            reason,
        })
    }

    fn start(library: Library, path: PathBuf, threads: Option<usize>) -> Result<Self, OidnError> {
        let functions = match Functions::find(&library) {
            Ok(functions) => functions,
            Err(error) => {
                return Err(OidnError::Unsuitable {
                    path,
                    reason: error.to_string(),
                });
            }
        };
        // SAFETY: a plain constructor; a null result is checked below.
        let device = unsafe { (functions.new_device)(DEVICE_CPU) };
        if device.is_null() {
            return Err(OidnError::Failed("no CPU device".into()));
        }
        let mut oidn = Self {
            functions,
            device,
            version: 0,
            path,
            _library: library,
        };
        // SAFETY: `device` is live until drop; the names are NUL-terminated.
        unsafe {
            if let Some(threads) = threads {
                let count = c_int::try_from(threads).unwrap_or(c_int::MAX);
                (oidn.functions.set_device_int)(device, c"numThreads".as_ptr(), count);
            }
            // Other threads render meanwhile: leave placement to the system.
            (oidn.functions.set_device_bool)(device, c"setAffinity".as_ptr(), false);
            (oidn.functions.commit_device)(device);
            oidn.version = (oidn.functions.get_device_int)(device, c"version".as_ptr());
        }
        oidn.check()?;
        if oidn.version / 10_000 != 2 {
            return Err(OidnError::Unsuitable {
                reason: format!("version {}", oidn.version()),
                path: oidn.path.clone(),
            });
        }
        Ok(oidn)
    }

    /// Version of the library, e.g. `2.5.1`.
    pub fn version(&self) -> String {
        let v = self.version;
        format!("{}.{}.{}", v / 10_000, v / 100 % 100, v % 100)
    }

    /// File or name it was loaded from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Denoises one picture. Variance and depth are not used. Albedo and normals are denoised first, by
    /// themselves, as the library's authors advise and Blender does ("accurate" prefiltering).
    pub fn denoise(&self, input: &DenoiseInput) -> Result<Vec<Vec3>, OidnError> {
        input.check();
        let size = [input.width, input.height];
        let albedo = self.run(size, &[(c"albedo", input.albedo)], &[])?;
        let normal = self.run(size, &[(c"normal", input.normal)], &[])?;
        let images = [
            (c"color", input.color),
            (c"albedo", albedo.as_slice()),
            (c"normal", normal.as_slice()),
        ];
        self.run(size, &images, &[c"hdr", c"cleanAux"])
    }

    /// Runs one ray tracing filter over pictures of `size` (width, height) with these switches on.
    fn run(
        &self,
        [width, height]: [usize; 2],
        images: &[(&CStr, &[Vec3])],
        switches: &[&CStr],
    ) -> Result<Vec<Vec3>, OidnError> {
        let mut output = vec![Vec3::ZERO; width * height];
        if output.is_empty() {
            return Ok(output);
        }
        assert!(
            images
                .iter()
                .all(|(_, pixels)| pixels.len() == output.len()),
            "pictures of one size"
        );
        // SAFETY: the device is live; a null result is checked.
        let filter = unsafe { (self.functions.new_filter)(self.device, c"RT".as_ptr()) };
        if filter.is_null() {
            self.check()?;
            return Err(OidnError::Failed("no RT filter".into()));
        }
        let set = |name: &CStr, pixels: *mut c_void| {
            // SAFETY: `pixels` points to width * height tightly packed triples of f32 (`Vec3` is
            // `repr(C)`), checked above, which outlive the filter; images other than `output` are only
            // read. Strides of 0 mean tightly packed.
            unsafe {
                (self.functions.set_image)(
                    filter,
                    name.as_ptr(),
                    pixels,
                    FORMAT_FLOAT3,
                    width,
                    height,
                    0,
                    0,
                    0,
                );
            }
        };
        for (name, pixels) in images {
            set(name, pixels.as_ptr().cast_mut().cast());
        }
        set(c"output", output.as_mut_ptr().cast());
        // SAFETY: the filter is live until released here; names are NUL-terminated; execution is
        // synchronous, so all images are alive while it runs.
        unsafe {
            for name in switches {
                (self.functions.set_filter_bool)(filter, name.as_ptr(), true);
            }
            (self.functions.commit_filter)(filter);
            (self.functions.execute_filter)(filter);
            (self.functions.release_filter)(filter);
        }
        self.check()?;
        Ok(output)
    }

    /// Takes the device's pending error, if any.
    fn check(&self) -> Result<(), OidnError> {
        let mut message = std::ptr::null();
        // SAFETY: the device is live; the message, if set, is a C string valid until the next call.
        let code = unsafe { (self.functions.device_error)(self.device, &raw mut message) };
        if code == ERROR_NONE {
            return Ok(());
        }
        let text = if message.is_null() {
            format!("error {code}")
        } else {
            // SAFETY: not null, see above.
            unsafe { CStr::from_ptr(message) }
                .to_string_lossy()
                .into_owned()
        };
        Err(OidnError::Failed(text))
    }
}

impl Drop for Oidn {
    fn drop(&mut self) {
        // SAFETY: created in `start`, released once, while the library is still loaded.
        unsafe { (self.functions.release_device)(self.device) }
    }
}

impl Functions {
    fn find(library: &Library) -> Result<Self, libloading::Error> {
        // SAFETY: each symbol has the C signature of the field it is stored in (oidn.h 2.x).
        unsafe {
            Ok(Self {
                new_device: *library.get(c"oidnNewDevice")?,
                set_device_int: *library.get(c"oidnSetDeviceInt")?,
                set_device_bool: *library.get(c"oidnSetDeviceBool")?,
                get_device_int: *library.get(c"oidnGetDeviceInt")?,
                commit_device: *library.get(c"oidnCommitDevice")?,
                device_error: *library.get(c"oidnGetDeviceError")?,
                release_device: *library.get(c"oidnReleaseDevice")?,
                new_filter: *library.get(c"oidnNewFilter")?,
                set_image: *library.get(c"oidnSetSharedFilterImage")?,
                set_filter_bool: *library.get(c"oidnSetFilterBool")?,
                commit_filter: *library.get(c"oidnCommitFilter")?,
                execute_filter: *library.get(c"oidnExecuteFilter")?,
                release_filter: *library.get(c"oidnReleaseFilter")?,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_library_is_one_clear_line_with_a_hint() {
        let error = Oidn::load(Some(Path::new("/nowhere/libOpenImageDenoise.so")), None)
            .expect_err("nothing there");
        let text = error.to_string();
        assert!(text.contains("/nowhere/libOpenImageDenoise.so"), "{text}");
        assert!(!text.contains('\n'), "{text}");
        assert!(
            error
                .hint()
                .is_some_and(|hint| hint.contains(OIDN_VARIABLE))
        );
    }

    #[test]
    #[expect(clippy::print_stdout, reason = "a skipped test says why")]
    fn installed_library_removes_noise() {
        let oidn = match Oidn::load(None, Some(1)) {
            Ok(oidn) => oidn,
            Err(error) => {
                println!("skipped: {error}");
                return;
            }
        };
        let (width, height) = (64, 48);
        let mut state = 1_u32;
        let color: Vec<Vec3> = (0..width * height)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                Vec3::splat((state >> 8) as f32 / 16_777_216.0)
            })
            .collect();
        let flat = vec![Vec3::ONE; color.len()];
        let depth = vec![1.0; color.len()];
        let output = oidn
            .denoise(&DenoiseInput {
                width,
                height,
                color: &color,
                variance: &flat,
                albedo: &flat,
                normal: &flat,
                depth: &depth,
                feature_variance: &vec![Vec3::ZERO; color.len()],
            })
            .expect("denoised");
        let spread = |pixels: &[Vec3]| {
            let mean = pixels.iter().map(|p| p.y).sum::<f32>() / pixels.len() as f32;
            pixels
                .iter()
                .map(|p| (p.y - mean) * (p.y - mean))
                .sum::<f32>()
                / pixels.len() as f32
        };
        let share = spread(&output) / spread(&color);
        assert!(
            share < 0.1,
            "OpenImageDenoise {} left {share}",
            oidn.version()
        );
    }
}
