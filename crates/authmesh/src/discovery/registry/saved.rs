//! The records of a registry as a file: JSON, read and written whole.

use std::collections::BTreeMap;
use std::time::Duration;

use authmesh_logic::Moment;
use authmesh_logic::discovery::registry::{Decision, Records, Refusal, Registered, Registrant};
use serde::{Deserialize, Serialize};

use crate::discovery::{Address, Administration, Instance, Lease, Weight};

/// The version of the format; another is not read.
const FORMAT: u32 = 1;

/// The whole file.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Saved {
    format: u32,
    pub(super) revision: u64,
    registrations: Vec<SavedRegistration>,
    decisions: Vec<SavedDecision>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct SavedRegistration {
    service: String,
    id: String,
    registrant: String,
    /// What the program says of it; of whoever else registered, `registrant` says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identity: Option<String>,
    incarnation: u64,
    addresses: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    zone: Option<Box<str>>,
    weight_hundredths: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
    ttl_ms: u64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    missing: bool,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct SavedDecision {
    service: String,
    id: String,
    administration: SavedAdministration,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    weight_hundredths: Option<u16>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum SavedAdministration {
    Enabled,
    Draining,
    Quarantined,
}

impl Saved {
    /// What must be saved of these records.
    pub(super) fn of(records: &Records) -> Self {
        Self {
            format: FORMAT,
            revision: records.revision(),
            registrations: records.registrations().map(SavedRegistration::of).collect(),
            decisions: records
                .decisions()
                .map(|(service, id, decision)| SavedDecision {
                    service: service.to_string(),
                    id: id.to_string(),
                    administration: match decision.administration {
                        Administration::Enabled => SavedAdministration::Enabled,
                        Administration::Draining => SavedAdministration::Draining,
                        Administration::Quarantined => SavedAdministration::Quarantined,
                    },
                    weight_hundredths: decision.weight.map(Weight::as_hundredths),
                })
                .collect(),
        }
    }

    /// Reads a file; the error is a sentence that names the place.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let saved: Self = serde_json::from_slice(bytes).map_err(|fault| fault.to_string())?;
        if saved.format != FORMAT {
            return Err(format!("its format is {}, this program reads {FORMAT}", saved.format));
        }
        Ok(saved)
    }

    /// Puts everything into `records`; the error is a sentence that names the instance.
    pub(super) fn restore(self, records: &mut Records, now: Moment) -> Result<(), String> {
        for decision in self.decisions {
            let place = format!("decision about `{}/{}`", decision.service, decision.id);
            decision.restore(records).map_err(|fault| format!("{place}: {fault}"))?;
        }
        for registration in self.registrations {
            let place = format!("instance `{}/{}`", registration.service, registration.id);
            registration.restore(records, now).map_err(|fault| format!("{place}: {fault}"))?;
        }
        Ok(())
    }
}

impl SavedRegistration {
    fn of(registered: Registered<'_>) -> Self {
        let Registered { service, instance, registrant, weight, ttl } = registered;
        let said = match registrant {
            Registrant::Program => instance.identity.as_ref(),
            _ => None,
        };
        Self {
            service: service.to_string(),
            id: instance.id.to_string(),
            registrant: registrant.to_string(),
            identity: said.map(ToString::to_string),
            incarnation: instance.incarnation,
            addresses: instance.addresses.iter().map(Address::to_string).collect(),
            zone: instance.zone.clone(),
            weight_hundredths: weight.as_hundredths(),
            version: instance.version.clone(),
            metadata: instance.metadata.clone(),
            ttl_ms: u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX),
            missing: matches!(instance.lease, Lease::Expired { .. }),
        }
    }

    fn restore(self, records: &mut Records, now: Moment) -> Result<(), String> {
        let service = self.service.parse().map_err(sentence)?;
        let registrant: Registrant = self.registrant.parse().map_err(sentence)?;
        let addresses: Result<Vec<Address>, _> =
            self.addresses.iter().map(|address| address.parse()).collect();
        let addresses = addresses.map_err(sentence)?;
        let identity = self.identity.map(|id| id.parse()).transpose().map_err(sentence)?;
        let first = addresses.first().cloned().ok_or(Refusal::NoAddress).map_err(sentence)?;
        let instance = Instance {
            id: self.id.parse().map_err(sentence)?,
            incarnation: self.incarnation,
            addresses,
            identity,
            zone: self.zone,
            weight: Weight::hundredths(self.weight_hundredths),
            version: self.version,
            metadata: self.metadata,
            lease: if self.missing { Lease::Expired { at: now } } else { Lease::Held },
            ..Instance::at(first)
        };
        let ttl = Duration::from_millis(self.ttl_ms);
        records.restore(&registrant, &service, instance, ttl, now).map_err(sentence)
    }
}

impl SavedDecision {
    fn restore(self, records: &mut Records) -> Result<(), String> {
        let service = self.service.parse().map_err(sentence)?;
        let id = self.id.parse().map_err(sentence)?;
        let decision = Decision {
            administration: match self.administration {
                SavedAdministration::Enabled => Administration::Enabled,
                SavedAdministration::Draining => Administration::Draining,
                SavedAdministration::Quarantined => Administration::Quarantined,
            },
            weight: self.weight_hundredths.map(Weight::hundredths),
        };
        records.decide(&service, &id, decision).map(|_| ()).map_err(sentence)
    }
}

fn sentence(fault: impl std::fmt::Display) -> String {
    fault.to_string()
}
