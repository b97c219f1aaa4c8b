//! Datasets as Diffusion-as-Shader trains on them.
//!
//! ```text
//! <dataset>/
//!   samples/<id>/             complete or absent: all that is known of one sample
//!     video.mp4 tracking.mp4 image.png prompt.txt sample.json
//!     shot.json               of a rendered sample; of a filmed one sample.json says where it is from
//!     tracks.npz              points in TAP-Vid layout
//!     tracks.npy              the public tools' own file             on request
//!     tracking/00000.png …    tracking pictures without any loss     on request
//!     controls/*.png          first frame: inverse_depth, inverse_depth_16, normals, mask
//!   repainted/<id>.png        first frames that somebody repainted; `images/` shows these instead
//!   videos/<id>.mp4           the same files once more, as hard links (copies where the file system
//!   tracking/<id>_tracking.mp4   has none), under the names that the trainer is used to
//!   images/<id>.png  tracks/<id>_tracks.npz  tracks/<id>_tracks.npy  controls/<id>_<name>.png
//!   prompt.txt videos.txt trackings.txt images.txt dataset.csv
//!   totals.json ATTRIBUTION.md
//! ```
//!
//! **What a kill leaves.** A sample is built as a temporary folder, synced, and moved to
//! `samples/<id>` by one rename; then its flat names are linked; then the journal gets its line. A kill
//! before the rename leaves a temporary name (swept by the next run), after it a complete sample
//! without a line, which the next run makes again under the same names. Flat names say nothing: only
//! the lists do, and they are derived from complete folders under `samples/` at the end of a run. All
//! old lists are removed before the first new one gets its name, so that at no moment do two lists of
//! different samples lie side by side; new content that equals the old touches nothing.
//!
//! **CSV.** `dataset.csv` (`--dataset_file dataset.csv`) has the columns `text` (caption), `video`,
//! `tracking` and `image`; paths are relative to the dataset, quotes doubled as in RFC 4180.

mod controls;
mod filmed;
mod lists;
mod merge;
mod pair;
mod place;
mod record;
mod repaint;
mod writer;

pub use filmed::{FilmedSampleOptions, FilmedSampleWriter};
pub use lists::{DasIndexReport, index_das};
pub(crate) use lists::{Line, own_prompt, read_csv, read_list};
pub(crate) use merge::CHECKSUMS;
pub use merge::{DasMergeReport, DasSource, MergeMode, merge_das};
pub use place::{das_sample_folder, das_sample_ids, is_complete_das, sweep_das};
pub(crate) use place::{foreign_names, main_names};
pub use record::{CharacterRecord, ClipRecord, DasQuality, DasRecord};
pub use repaint::{RepaintReport, take_repainted};
pub use writer::{DasSampleOptions, DasSampleWriter, FinishedDasSample, TRACKING_QP_LIMIT};

/// Is `folder` a dataset of this kind, ours or another tool's? It has the list of tracking videos, or
/// samples whose lists are not written yet.
pub fn is_das_dataset(folder: &std::path::Path) -> bool {
    folder.join(LISTS[2]).is_file() || folder.join(SAMPLES).is_dir()
}

/// Would a dataset of this kind be lost if nobody looked for it in `folder`? It has the list of tracking
/// videos, or complete samples; a folder that is merely called `samples` is none.
pub(super) fn holds_das_samples(folder: &std::path::Path) -> bool {
    let is_complete = |id: String| is_complete_das(&das_sample_folder(folder, &id));
    folder.join(LISTS[2]).is_file()
        || das_sample_ids(folder).is_ok_and(|ids| ids.into_iter().any(is_complete))
}

/// What stands for the prompt of a clip that nobody described. Trainers need a line that is not blank;
/// `diorama verify` warns of it.
pub const PLACEHOLDER_PROMPT: &str = "a video clip";

/// The folder of complete samples inside a dataset.
pub(crate) const SAMPLES: &str = "samples";

/// The lists that belong together, line by line.
pub(crate) const LISTS: [&str; 4] = ["prompt.txt", "videos.txt", "trackings.txt", "images.txt"];

#[cfg(test)]
mod tests;
