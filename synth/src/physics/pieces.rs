//! Convex pieces of a model: the given ones, or a decomposition made once and kept.

use std::collections::BTreeMap;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use diorama_assets::Model;
use glam::Vec3;
use rapier3d::parry::transformation::vhacd::{VHACD, VHACDParameters};
use rapier3d::parry::transformation::voxelization::FillMode;

use super::PhysicsError;
use super::hull::convex_hull;
use super::inertia::{signed_volume, volume};

/// Goes into the key of stored decompositions: change it with anything that changes their result.
const METHOD: &str = "diorama convex pieces v1";
/// Voxels along the longest side while decomposing.
const RESOLUTION: u32 = 64;
/// Most pieces of one model; more follow a concave shape closer and make contacts slower.
const MAX_PIECES: u32 = 24;
/// A mesh that fills this share of its hull counts as convex.
const CONVEX_SHARE: f64 = 0.99;

/// Convex pieces of one model in object space, each the corners of a hull.
pub type Pieces = Arc<Vec<Vec<Vec3>>>;

/// Where decompositions are kept: in memory, and in a folder when there is one.
///
/// Files are named by the content of the geometry, so a folder may be shared by everything, and an
/// entry that cannot be read is made again.
#[derive(Debug, Default)]
pub struct PieceStore {
    folder: Option<PathBuf>,
    known: Mutex<BTreeMap<String, Pieces>>,
}

impl PieceStore {
    /// A store that also keeps what it makes in `folder` (created when missing). A folder that
    /// cannot be written only costs time: the decomposition is made again next time.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self {
            folder,
            known: Mutex::default(),
        }
    }

    /// The convex pieces of `model`, which is called `asset` in messages.
    pub fn pieces(&self, asset: &str, model: &Model) -> Result<Pieces, PhysicsError> {
        let given: Vec<Vec<Vec3>> = model
            .convex_pieces
            .iter()
            .filter(|piece| !piece.is_empty())
            .cloned()
            .collect();
        if !given.is_empty() {
            return Ok(Arc::new(given));
        }
        let key = key_of(model);
        if let Some(pieces) = self.locked().get(&key) {
            return Ok(Arc::clone(pieces));
        }
        let pieces = if let Some(stored) = self.read(&key) {
            Arc::new(stored)
        } else {
            let made = decompose(asset, model)?;
            self.write(&key, &made);
            Arc::new(made)
        };
        self.locked().insert(key, Arc::clone(&pieces));
        Ok(pieces)
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Pieces>> {
        // A panic elsewhere cannot leave the map half changed: inserts are its only change.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, key: &str) -> Option<Vec<Vec<Vec3>>> {
        let path = self.folder.as_ref()?.join(format!("{key}.json"));
        let pieces: Vec<Vec<Vec3>> = serde_json::from_slice(&fs_err::read(path).ok()?).ok()?;
        let sound = !pieces.is_empty()
            && pieces
                .iter()
                .all(|piece| !piece.is_empty() && piece.iter().all(|p| p.is_finite()));
        sound.then_some(pieces)
    }

    fn write(&self, key: &str, pieces: &[Vec<Vec3>]) {
        let Some(folder) = &self.folder else { return };
        let store = || -> std::io::Result<()> {
            fs_err::create_dir_all(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(&serde_json::to_vec(pieces)?)?;
            file.persist(folder.join(format!("{key}.json")))?;
            Ok(())
        };
        // Only a saving of time is lost; see `new`.
        let _ = store();
    }
}

fn key_of(model: &Model) -> String {
    let mut hasher = blake3::Hasher::new_derive_key(METHOD);
    for mesh in &model.meshes {
        hasher.update(&(mesh.positions.len() as u64).to_le_bytes());
        for position in &mesh.positions {
            for value in position.to_array() {
                hasher.update(&value.to_le_bytes());
            }
        }
        hasher.update(&(mesh.triangles.len() as u64).to_le_bytes());
        for corner in mesh.triangles.iter().flatten() {
            hasher.update(&corner.to_le_bytes());
        }
    }
    hasher.finalize().to_hex().to_string()
}

fn decompose(asset: &str, model: &Model) -> Result<Vec<Vec<Vec3>>, PhysicsError> {
    let mut positions = Vec::new();
    let mut triangles = Vec::new();
    for mesh in &model.meshes {
        let first = positions.len() as u32;
        positions.extend_from_slice(&mesh.positions);
        triangles.extend(mesh.triangles.iter().map(|t| t.map(|i| i + first)));
    }
    let whole = convex_hull(&positions).ok_or_else(|| PhysicsError::Shape {
        asset: asset.to_owned(),
        reason: "it has no finite vertices".into(),
    })?;
    let filled = signed_volume(&positions, &triangles) / volume(&whole).max(f64::MIN_POSITIVE);
    if filled > CONVEX_SHARE && filled < 1.0 + (1.0 - CONVEX_SHARE) {
        return Ok(vec![whole.vertices]);
    }
    let parameters = VHACDParameters {
        resolution: RESOLUTION,
        max_convex_hulls: MAX_PIECES,
        concavity: 0.005,
        fill_mode: FillMode::FloodFill {
            detect_cavities: false,
        },
        ..VHACDParameters::default()
    };
    // Degenerate meshes make the decomposition panic; such a shape gets its hull.
    let parts = catch_unwind(AssertUnwindSafe(|| {
        VHACD::decompose(&parameters, &positions, &triangles, true)
            .compute_primitive_intersections(&positions, &triangles)
    }))
    .unwrap_or_default();
    let pieces: Vec<Vec<Vec3>> = parts
        .iter()
        .filter_map(|part| convex_hull(part).map(|hull| hull.vertices))
        .collect();
    Ok(if pieces.is_empty() {
        vec![whole.vertices]
    } else {
        pieces
    })
}

#[cfg(test)]
mod tests {
    use diorama_assets::Mesh;

    use super::*;

    /// An L of two boxes that touch, as one mesh with an inner double wall.
    fn l_shape() -> Model {
        let mut mesh = Mesh::default();
        for (low, high) in [
            (Vec3::ZERO, Vec3::new(3.0, 1.0, 1.0)),
            (Vec3::new(0.0, 0.0, 1.0), Vec3::new(1.0, 1.0, 3.0)),
        ] {
            let first = mesh.positions.len() as u32;
            let corners: Vec<Vec3> = (0..8)
                .map(|i| {
                    Vec3::select(
                        glam::BVec3::new(i & 1 == 1, i & 2 == 2, i & 4 == 4),
                        high,
                        low,
                    )
                })
                .collect();
            let hull = convex_hull(&corners).unwrap();
            mesh.positions.extend(&hull.vertices);
            mesh.triangles
                .extend(hull.triangles.iter().map(|t| t.map(|i| i + first)));
        }
        mesh.material_of_triangle = vec![0; mesh.triangles.len()];
        Model {
            meshes: vec![mesh.into()],
            ..Model::default()
        }
    }

    #[test]
    fn a_concave_mesh_is_cut_so_that_its_notch_stays_empty() {
        let pieces = PieceStore::default().pieces("l", &l_shape()).unwrap();
        assert!(pieces.len() >= 2, "{} pieces", pieces.len());
        let filled: f64 = pieces
            .iter()
            .map(|p| volume(&convex_hull(p).unwrap()))
            .sum();
        assert!((filled - 5.0).abs() < 0.35, "{filled}");
    }

    #[test]
    fn pieces_come_back_from_the_folder_and_a_damaged_file_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let model = l_shape();
        let first = PieceStore::new(Some(folder.path().into()))
            .pieces("l", &model)
            .unwrap();
        let file = folder.path().join(format!("{}.json", key_of(&model)));
        assert!(file.exists());
        let again = PieceStore::new(Some(folder.path().into()))
            .pieces("l", &model)
            .unwrap();
        assert_eq!(first, again);
        fs_err::OpenOptions::new()
            .write(true)
            .truncate(true)
            .open(&file)
            .unwrap();
        let repaired = PieceStore::new(Some(folder.path().into()))
            .pieces("l", &model)
            .unwrap();
        assert_eq!(first, repaired);
    }

    #[test]
    fn given_pieces_are_used_as_they_are() {
        let mut model = l_shape();
        model.convex_pieces = vec![vec![Vec3::ZERO, Vec3::X, Vec3::Y, Vec3::Z], vec![]];
        let pieces = PieceStore::default().pieces("l", &model).unwrap();
        assert_eq!(*pieces, vec![model.convex_pieces[0].clone()]);
    }
}
