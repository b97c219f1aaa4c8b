//! The mask rule as the plan keeps it.

use diorama_postproc::MaskRule;
use serde::{Deserialize, Serialize};

/// Which pixels of the mask belong to an object; written as in the flag.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum MaskRuleSetting {
    /// Not decided: the centre rule, or coverage above a half under motion blur or depth of field.
    Auto,
    /// Decided.
    Rule(MaskRule),
}

impl TryFrom<String> for MaskRuleSetting {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "auto" {
            Ok(Self::Auto)
        } else {
            text.parse().map(Self::Rule)
        }
    }
}

impl From<MaskRuleSetting> for String {
    fn from(rule: MaskRuleSetting) -> Self {
        match rule {
            MaskRuleSetting::Auto => "auto".into(),
            MaskRuleSetting::Rule(rule) => rule.to_string(),
        }
    }
}
