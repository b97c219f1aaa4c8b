//! The built-in encoder: OpenH264 with everything that adapts switched off.
//!
//! The safe wrapper crate reaches rate control only, whose quantiser never falls below 12; a constant quantiser
//! is a raw parameter (`iDLayerQp` with rate control off). The library is built from C++ alone (`OPENH264_NO_ASM`
//! in `.cargo/config.toml`): without assembly it asks no processor for its features, so that bytes are the same everywhere.
#![expect(unsafe_code, reason = "a C interface")]

use std::ffi::{c_int, c_void};
use std::ptr::{self, NonNull};

use openh264_sys2::{
    API, ENCODER_OPTION_TRACE_LEVEL, ISVCEncoder, ISVCEncoderVtbl, SEncParamExt, SFrameBSInfo,
    SSourcePicture, source::APILoader,
};

use crate::colour::Yuv420;
use crate::h264::{CodedFrame, FRAMES_PER_KEY};
use crate::mp4::colour_tags;
use crate::rate::FrameRate;

/// Smallest side the library takes, pixels.
pub(crate) const SMALLEST_SIDE: u32 = 16;
/// Longest and second longest side the library takes, pixels.
pub(crate) const LARGEST_SIDES: (u32, u32) = (3840, 2160);

/// Constant over a clip.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) rate: FrameRate,
    /// 0..=51.
    pub(crate) qp: u8,
}

/// What a call to the library came back with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LibraryError {
    #[error("{call} returned {code}")]
    Call { call: &'static str, code: c_int },
    /// The library keeps as many bytes for a frame as its planes have (12 bits a pixel), and calls it
    /// a lack of memory (cmMallocMemeError) when noise at a fine quantiser needs more.
    #[error("it needs more bytes than the picture has")]
    TooDetailed,
    #[error("the library has no function {0}")]
    Missing(&'static str),
    #[error("frame type {got} where {expected} was due")]
    FrameType { got: c_int, expected: c_int },
    #[error("no parameter sets before the first frame, or others than before")]
    ParameterSets,
}

/// One clip's encoder.
#[derive(Debug)]
pub(crate) struct Openh264 {
    encoder: NonNull<ISVCEncoder>,
    frames: u64,
    /// Sequence and picture parameter set, once known.
    parameter_sets: Option<(Vec<u8>, Vec<u8>)>,
}

// SAFETY: the encoder is owned by this value alone, keeps no thread-local state, and with one thread configured
// (`iMultipleThreadIdc` 1) starts none; every method that uses it takes `&mut self`.
unsafe impl Send for Openh264 {}

impl Openh264 {
    pub(crate) fn new(settings: &Settings) -> Result<Self, LibraryError> {
        let mut raw: *mut ISVCEncoder = ptr::null_mut();
        // SAFETY: `raw` is a valid place for the pointer that the call writes.
        let code = unsafe { APILoader::new().WelsCreateSVCEncoder(&raw mut raw) };
        let encoder = NonNull::new(raw)
            .filter(|_| code == 0)
            .ok_or(LibraryError::Call {
                call: "WelsCreateSVCEncoder",
                code,
            })?;
        let mut this = Self {
            encoder,
            frames: 0,
            parameter_sets: None,
        };
        this.configure(settings)?;
        Ok(this)
    }

    /// The library's functions.
    fn functions(&self) -> ISVCEncoderVtbl {
        // SAFETY: the encoder lives until drop and starts with a pointer to its table, as C++ objects do.
        unsafe { **self.encoder.as_ptr() }
    }

    fn configure(&mut self, settings: &Settings) -> Result<(), LibraryError> {
        let functions = self.functions();
        let set_option = functions
            .SetOption
            .ok_or(LibraryError::Missing("SetOption"))?;
        let mut quiet: c_int = 0;
        // SAFETY: this option reads one int.
        let code = unsafe {
            set_option(
                self.encoder.as_ptr(),
                ENCODER_OPTION_TRACE_LEVEL,
                (&raw mut quiet).cast::<c_void>(),
            )
        };
        check("SetOption", code)?;

        let mut params = SEncParamExt::default();
        let get_default = functions
            .GetDefaultParams
            .ok_or(LibraryError::Missing("GetDefaultParams"))?;
        // SAFETY: `params` is a valid place for the parameters that the call writes.
        check("GetDefaultParams", unsafe {
            get_default(self.encoder.as_ptr(), &raw mut params)
        })?;
        fill(&mut params, settings);
        let initialize = functions
            .InitializeExt
            .ok_or(LibraryError::Missing("InitializeExt"))?;
        // SAFETY: the call reads the parameters and copies what it keeps.
        check("InitializeExt", unsafe {
            initialize(self.encoder.as_ptr(), &raw const params)
        })
    }

    /// Codes one picture of the configured size.
    pub(crate) fn encode(&mut self, picture: &Yuv420) -> Result<CodedFrame, LibraryError> {
        let encode_frame = self
            .functions()
            .EncodeFrame
            .ok_or(LibraryError::Missing("EncodeFrame"))?;
        let source = SSourcePicture {
            iColorFormat: openh264_sys2::videoFormatI420,
            iStride: [
                picture.width as c_int,
                (picture.width / 2) as c_int,
                (picture.width / 2) as c_int,
                0,
            ],
            // The library reads its source only; its interface lacks the `const`.
            pData: [
                picture.y.as_ptr().cast_mut(),
                picture.cb.as_ptr().cast_mut(),
                picture.cr.as_ptr().cast_mut(),
                ptr::null_mut(),
            ],
            iPicWidth: picture.width as c_int,
            iPicHeight: picture.height as c_int,
            ..SSourcePicture::default()
        };
        let mut info = SFrameBSInfo::default();
        // SAFETY: the planes outlive the call and have the sizes stated; `info` is a valid place for the result.
        let code = unsafe { encode_frame(self.encoder.as_ptr(), &raw const source, &raw mut info) };
        if code == openh264_sys2::cmMallocMemeError {
            return Err(LibraryError::TooDetailed);
        }
        check("EncodeFrame", code)?;
        let is_key = self.frames.is_multiple_of(FRAMES_PER_KEY);
        let expected = if is_key {
            openh264_sys2::videoFrameTypeIDR
        } else {
            openh264_sys2::videoFrameTypeP
        };
        if info.eFrameType != expected {
            return Err(LibraryError::FrameType {
                got: info.eFrameType,
                expected,
            });
        }
        self.frames += 1;
        // SAFETY: `info` was written by the call above and nothing was encoded since.
        let bytes = unsafe { stream_bytes(&info) };
        let nals = self.without_parameter_sets(&bytes)?;
        Ok(CodedFrame { nals, is_key })
    }

    /// Sequence and picture parameter set; known after the first frame.
    pub(crate) fn parameter_sets(&self) -> Option<&(Vec<u8>, Vec<u8>)> {
        self.parameter_sets.as_ref()
    }

    /// The NAL units of a byte stream; parameter sets are kept aside.
    fn without_parameter_sets(&mut self, stream: &[u8]) -> Result<Vec<Vec<u8>>, LibraryError> {
        let (mut sps, mut pps) = (None, None);
        let mut nals = Vec::new();
        for nal in split_start_codes(stream) {
            match nal.first().map(|header| header & 0x1F) {
                Some(7) => sps = Some(nal.to_vec()),
                Some(8) => pps = Some(nal.to_vec()),
                Some(_) => nals.push(nal.to_vec()),
                None => {}
            }
        }
        if let (Some(sps), Some(pps)) = (sps, pps) {
            let sets = (sps, pps);
            if *self.parameter_sets.get_or_insert_with(|| sets.clone()) != sets {
                return Err(LibraryError::ParameterSets);
            }
        }
        if self.parameter_sets.is_none() || nals.is_empty() {
            return Err(LibraryError::ParameterSets);
        }
        Ok(nals)
    }
}

impl Drop for Openh264 {
    fn drop(&mut self) {
        if let Some(uninitialize) = self.functions().Uninitialize {
            // SAFETY: the encoder is alive; the call does nothing to one that was never initialised.
            unsafe { uninitialize(self.encoder.as_ptr()) };
        }
        // SAFETY: created in `new`, and not used after this.
        unsafe { APILoader::new().WelsDestroySVCEncoder(self.encoder.as_ptr()) };
    }
}

fn check(call: &'static str, code: c_int) -> Result<(), LibraryError> {
    if code == 0 {
        Ok(())
    } else {
        Err(LibraryError::Call { call, code })
    }
}

/// One layer, one slice, one thread, one quantiser; frame types by number alone.
fn fill(params: &mut SEncParamExt, settings: &Settings) {
    let fps = settings.rate.fps() as f32;
    params.iUsageType = openh264_sys2::CAMERA_VIDEO_REAL_TIME;
    params.iPicWidth = settings.width as c_int;
    params.iPicHeight = settings.height as c_int;
    params.fMaxFrameRate = fps;
    params.iRCMode = openh264_sys2::RC_OFF_MODE;
    params.iComplexityMode = openh264_sys2::HIGH_COMPLEXITY;
    params.uiIntraPeriod = FRAMES_PER_KEY as u32;
    params.eSpsPpsIdStrategy = openh264_sys2::CONSTANT_ID;
    params.iEntropyCodingModeFlag = 1; // CABAC: smaller, and no level is too large for it
    params.iMultipleThreadIdc = 1;
    // Between threads there is nothing to balance, and without it the library keeps twice the bytes for a
    // frame: noise at a fine quantiser needs more than the picture has, and nothing checks that they last.
    params.bUseLoadBalancing = false;
    params.bEnableFrameSkip = false;
    params.bEnableDenoise = false;
    params.bEnableSceneChangeDetect = false;
    params.bEnableAdaptiveQuant = false;
    params.bEnableBackgroundDetection = false;
    params.bEnableLongTermReference = false;
    params.iTemporalLayerNum = 1;
    params.iSpatialLayerNum = 1;
    let layer = &mut params.sSpatialLayers[0];
    layer.iVideoWidth = settings.width as c_int;
    layer.iVideoHeight = settings.height as c_int;
    layer.fFrameRate = fps;
    layer.iDLayerQp = c_int::from(settings.qp);
    layer.uiProfileIdc = openh264_sys2::PRO_HIGH;
    layer.sSliceArgument.uiSliceMode = openh264_sys2::SM_SINGLE_SLICE;
    layer.sSliceArgument.uiSliceNum = 1;
    layer.bVideoSignalTypePresent = true;
    layer.uiVideoFormat = openh264_sys2::VF_UNDEF as u8;
    layer.bFullRange = false;
    layer.bColorDescriptionPresent = true;
    layer.uiColorPrimaries = colour_tags::PRIMARIES;
    layer.uiTransferCharacteristics = colour_tags::TRANSFER;
    layer.uiColorMatrix = colour_tags::MATRIX;
}

/// The byte stream of one frame.
///
/// # Safety
/// `info` is what `EncodeFrame` wrote, and its encoder has encoded nothing since.
unsafe fn stream_bytes(info: &SFrameBSInfo) -> Vec<u8> {
    let mut bytes = Vec::new();
    for layer in &info.sLayerInfo[..info.iLayerNum as usize] {
        // SAFETY: the library states `iNalCount` lengths there …
        let lengths =
            unsafe { std::slice::from_raw_parts(layer.pNalLengthInByte, layer.iNalCount as usize) };
        let total = lengths.iter().map(|&length| length as usize).sum();
        // SAFETY: … and the NAL units lie one after another from `pBsBuf` on.
        bytes.extend_from_slice(unsafe { std::slice::from_raw_parts(layer.pBsBuf, total) });
    }
    bytes
}

/// The NAL units between the start codes of a byte stream (annex B).
fn split_start_codes(stream: &[u8]) -> Vec<&[u8]> {
    let mut starts = Vec::new();
    let mut at = 0;
    while at + 3 <= stream.len() {
        if stream[at..at + 3] == [0, 0, 1] {
            starts.push(at + 3);
            at += 3;
        } else {
            at += 1;
        }
    }
    let ends = starts
        .iter()
        .skip(1)
        .map(|start| start - 3)
        .chain([stream.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(&start, end)| {
            // Zero bytes before a start code belong to it.
            let nal = &stream[start..end];
            let length = nal
                .iter()
                .rposition(|&byte| byte != 0)
                .map_or(0, |at| at + 1);
            &nal[..length]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nal_units_come_apart_at_start_codes_of_either_length() {
        let stream = [
            0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 2, 0, 0, 0, 1, 0x65, 3, 4,
        ];
        let nals = split_start_codes(&stream);
        assert_eq!(nals, [&[0x67, 1][..], &[0x68, 2], &[0x65, 3, 4]]);
    }
}
