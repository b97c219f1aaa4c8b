//! OpenImageDenoise 2.x, loaded at run time when it is installed.
//!
//! The library is looked for at the path given, else at the path in `DIORAMA_OIDN` (each a file, or
//! a folder that holds the library), else under its standard names wherever the system's loader
//! looks. It runs on the CPU device, in HDR mode, with prefiltered albedo and normal guides. Its bits are
//! those of the installed version: the determinism contract covers the built-in denoiser only.
#![expect(unsafe_code, reason = "calls a C library through function pointers")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

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
    filter: FilterFunctions,
}

/// The functions that a committed filter needs.
#[derive(Clone, Copy)]
struct FilterFunctions {
    execute: unsafe extern "C" fn(Handle),
    release: unsafe extern "C" fn(Handle),
}

/// A committed filter.
struct Filter {
    handle: Handle,
    functions: FilterFunctions,
}

impl Drop for Filter {
    fn drop(&mut self) {
        // SAFETY: made by the library, released once, before the library goes (see [`Oidn`]).
        unsafe { (self.functions.release)(self.handle) }
    }
}

/// The filter of pictures of one size, and the pictures that it reads and writes in place.
struct Filters {
    color_filter: Filter,
    /// Width, height.
    size: [usize; 2],
    albedo: Guide,
    normal: Guide,
    color: Vec<Vec3>,
}

/// What tells the colour filter where edges are.
struct Guide {
    /// Cleans the pixels in place; made once they are noisy, since that takes as long as it takes to
    /// copy all weights of a network.
    filter: Option<Filter>,
    /// The library's name of it.
    name: &'static CStr,
    pixels: Vec<Vec3>,
}

impl Filters {
    fn new(oidn: &Oidn, size: [usize; 2]) -> Result<Self, OidnError> {
        let picture = || vec![Vec3::ZERO; size[0] * size[1]];
        let guide = |name| Guide {
            filter: None,
            name,
            pixels: picture(),
        };
        let (mut albedo, mut normal, mut color) = (guide(c"albedo"), guide(c"normal"), picture());
        Ok(Self {
            color_filter: oidn.filter(
                size,
                &[
                    (c"color", color.as_mut_ptr()),
                    (albedo.name, albedo.pixels.as_mut_ptr()),
                    (normal.name, normal.pixels.as_mut_ptr()),
                    (c"output", color.as_mut_ptr()),
                ],
                &[c"hdr", c"cleanAux"],
            )?,
            size,
            albedo,
            normal,
            color,
        })
    }
}

impl Guide {
    /// Takes the guide of a picture of `size`, whose mean variance is this, and cleans it where that pays.
    fn set(
        &mut self,
        oidn: &Oidn,
        size: [usize; 2],
        pixels: &[Vec3],
        variance: f64,
    ) -> Result<(), OidnError> {
        self.pixels.copy_from_slice(pixels);
        if variance <= CLEAN_VARIANCE {
            return Ok(());
        }
        let pixels = self.pixels.as_mut_ptr();
        let filter = match self.filter.take() {
            Some(filter) => filter,
            None => oidn.filter(size, &[(self.name, pixels), (c"output", pixels)], &[])?,
        };
        oidn.execute(self.filter.insert(filter))
    }
}

/// `OIDN_DEVICE_TYPE_CPU`.
const DEVICE_CPU: c_int = 1;
/// `OIDN_FORMAT_FLOAT3`.
const FORMAT_FLOAT3: c_int = 3;
/// Mean variance (of a pixel's mean, summed over its components) below which albedo or normals go to
/// the picture's filter as they are. Measured on five_suzannes: prefiltering lowers the error of the
/// result by 8 % at 4 samples, 1.5 % at 16, 0.3 % at 64 and nothing at 128, where it would take two
/// thirds of the time.
const CLEAN_VARIANCE: f64 = 5.0e-4;
/// `OIDN_ERROR_NONE`.
const ERROR_NONE: c_int = 0;

/// A loaded OpenImageDenoise with one CPU device.
pub struct Oidn {
    functions: Functions,
    device: Handle,
    version: c_int,
    path: PathBuf,
    filters: Mutex<Option<Filters>>,
    /// Keeps the functions valid; dropped after [`Drop::drop`] has released the device and after the
    /// filters.
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
            filters: Mutex::new(None),
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

    /// Denoises one picture. The variance of colour and the depth are not used. Noisy albedo and
    /// normals are denoised first, by themselves, as the library's authors advise and Blender does
    /// ("accurate" prefiltering); clean ones are as good as they are (see `CLEAN_VARIANCE`).
    ///
    /// Filters are kept for pictures of the same size.
    pub fn denoise(&self, input: &DenoiseInput) -> Result<Vec<Vec3>, OidnError> {
        input.check();
        let size = [input.width, input.height];
        if input.color.is_empty() {
            return Ok(Vec::new());
        }
        let mut kept = self.filters.lock().unwrap_or_else(PoisonError::into_inner);
        // Filters of another size go before new ones are made: their memory may be large.
        let mut filters = match kept.take().filter(|filters| filters.size == size) {
            Some(filters) => filters,
            None => Filters::new(self, size)?,
        };
        let variance = |of: fn(&Vec3) -> f32| {
            let sum: f64 = input
                .feature_variance
                .iter()
                .map(|v| f64::from(of(v)))
                .sum();
            sum / input.feature_variance.len() as f64
        };
        (filters.albedo).set(self, size, input.albedo, variance(|v| v.x))?;
        (filters.normal).set(self, size, input.normal, variance(|v| v.y))?;
        filters.color.copy_from_slice(input.color);
        self.execute(&filters.color_filter)?;
        let clean = filters.color.clone();
        *kept = Some(filters);
        Ok(clean)
    }

    /// Runs a filter to its end.
    fn execute(&self, filter: &Filter) -> Result<(), OidnError> {
        // SAFETY: the filter is live, and so are the pictures it was given: all are parts of the one
        // [`Filters`] that `denoise` has taken, which nothing else can reach meanwhile.
        unsafe { (filter.functions.execute)(filter.handle) };
        self.check()
    }

    /// A ray tracing filter over `pictures` of `size` (width, height) with these switches on.
    ///
    /// Each picture holds width * height pixels and lives as long as the filter does: the callers,
    /// [`Filters::new`] and [`Guide::set`], see to that.
    fn filter(
        &self,
        [width, height]: [usize; 2],
        pictures: &[(&CStr, *mut Vec3)],
        switches: &[&CStr],
    ) -> Result<Filter, OidnError> {
        // SAFETY: the device is live; a null result is checked.
        let handle = unsafe { (self.functions.new_filter)(self.device, c"RT".as_ptr()) };
        if handle.is_null() {
            self.check()?;
            return Err(OidnError::Failed("no RT filter".into()));
        }
        let filter = Filter {
            handle,
            functions: self.functions.filter,
        };
        // SAFETY: the filter is live; names are NUL-terminated; pictures are tightly packed triples of
        // f32 (`Vec3` is `repr(C)`; strides of 0 mean tightly packed), see above.
        unsafe {
            for (name, pixels) in pictures {
                (self.functions.set_image)(
                    handle,
                    name.as_ptr(),
                    pixels.cast(),
                    FORMAT_FLOAT3,
                    width,
                    height,
                    0,
                    0,
                    0,
                );
            }
            for name in switches {
                (self.functions.set_filter_bool)(handle, name.as_ptr(), true);
            }
            (self.functions.commit_filter)(handle);
        }
        self.check()?;
        Ok(filter)
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
        *self
            .filters
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner) = None;
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
                filter: FilterFunctions {
                    execute: *library.get(c"oidnExecuteFilter")?,
                    release: *library.get(c"oidnReleaseFilter")?,
                },
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
