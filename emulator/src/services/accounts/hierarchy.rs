//! What projects are in: folders, which are in an organisation (Resource Manager, "Resource hierarchy").

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use super::ProjectId;

/// How deep folders are nested at most (Resource Manager, "Quotas and limits").
const DEEPEST: usize = 10;

/// What a project is in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Parent {
    project: ProjectId,
    organization: Container,
    /// The outermost first.
    folders: Vec<Container>,
}

/// A text that is not a valid [`Parent`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "invalid parent: expected PROJECT=organizations/NUMBER, followed by at most {DEEPEST} times /folders/NUMBER, the outermost first"
)]
pub struct ParentError;

/// A folder or an organisation, `folders/NUMBER` or `organizations/NUMBER`.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Container {
    kind: Kind,
    number: NonZeroU64,
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Kind {
    Folder,
    Organization,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Folder => "folder",
            Self::Organization => "organization",
        }
    }
}

impl Container {
    /// `folder` or `organization`.
    pub fn kind(&self) -> &'static str {
        self.kind.name()
    }

    /// The number.
    pub fn number(&self) -> u64 {
        self.number.get()
    }

    fn read(collection: &str, number: &str) -> Option<Self> {
        let kind = match collection {
            "folders" => Kind::Folder,
            "organizations" => Kind::Organization,
            _ => return None,
        };
        let is_plain = number.bytes().all(|b| b.is_ascii_digit()) && !number.starts_with('0');
        let number = number.parse().ok().filter(|_| is_plain)?;
        Some(Self { kind, number })
    }
}

impl fmt::Display for Container {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}s/{}", self.kind.name(), self.number)
    }
}

impl FromStr for Parent {
    type Err = ParentError;

    fn from_str(text: &str) -> Result<Self, ParentError> {
        Self::read(text).ok_or(ParentError)
    }
}

impl Parent {
    fn read(text: &str) -> Option<Self> {
        let (project, path) = text.split_once('=')?;
        let parts: Vec<_> = path.split('/').collect();
        let all = parts.chunks(2).map(|pair| match pair {
            [collection, number] => Container::read(collection, number),
            _ => None,
        });
        let mut all = all.collect::<Option<Vec<_>>>()?;
        let folders = all.split_off(1);
        let organization = all.pop()?;
        let is_right = organization.kind == Kind::Organization
            && folders.iter().all(|folder| folder.kind == Kind::Folder)
            && folders.len() <= DEEPEST;
        is_right.then_some(())?;
        Some(Self {
            project: project.parse().ok()?,
            organization,
            folders,
        })
    }
}

/// Which folders and organisation each project is in. Others are in none.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Hierarchy {
    /// From the inside out.
    above: BTreeMap<ProjectId, Vec<Container>>,
}

/// Why parents contradict each other.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum HierarchyError {
    /// The project is not set up.
    #[error("there is no project {0}")]
    NoProject(ProjectId),
    /// A project has two parents.
    #[error("project {0} has two parents")]
    Project(ProjectId),
    /// A folder has two parents.
    #[error("{0} is in two places")]
    Folder(Container),
}

impl Hierarchy {
    /// The hierarchy in which these `projects` are in their `parents`.
    ///
    /// # Errors
    /// A project does not exist or has two parents, or a folder is in two places.
    pub fn new(parents: &[Parent], projects: &[ProjectId]) -> Result<Self, HierarchyError> {
        let mut above: BTreeMap<ProjectId, Vec<Container>> = BTreeMap::new();
        let mut places = BTreeMap::new();
        for parent in parents {
            let project = &parent.project;
            if !projects.contains(project) {
                return Err(HierarchyError::NoProject(project.clone()));
            }
            let mut chain = vec![parent.organization.clone()];
            for folder in &parent.folders {
                let place = places
                    .entry(folder.clone())
                    .or_insert_with(|| chain.clone());
                if *place != chain {
                    return Err(HierarchyError::Folder(folder.clone()));
                }
                chain.push(folder.clone());
            }
            chain.reverse();
            if above.insert(project.clone(), chain).is_some() {
                return Err(HierarchyError::Project(project.clone()));
            }
        }
        Ok(Self { above })
    }

    /// The folders and the organisation of a project, from the inside out.
    pub fn above(&self, project: &ProjectId) -> &[Container] {
        self.above.get(project).map_or(&[], Vec::as_slice)
    }

    /// A folder or an organisation, and what it is in, from the inside out; `None` if it is not known.
    pub fn chain(&self, name: &str) -> Option<&[Container]> {
        self.above.values().find_map(|chain| {
            let place = chain.iter().position(|one| one.to_string() == name)?;
            chain.get(place..)
        })
    }

    /// The organisations, with the projects in each.
    pub fn organizations(&self) -> BTreeMap<&Container, Vec<&ProjectId>> {
        let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (project, chain) in &self.above {
            if let Some(organization) = chain.last() {
                all.entry(organization).or_default().push(project);
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hierarchy(parents: &[&str]) -> Result<Hierarchy, HierarchyError> {
        let parents: Vec<_> = parents.iter().map(|text| text.parse().unwrap()).collect();
        let projects = ["project-1", "project-2"].map(|id| id.parse().unwrap());
        Hierarchy::new(&parents, &projects)
    }

    fn names(chain: &[Container]) -> Vec<String> {
        chain.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_project_is_in_folders_of_an_organisation() {
        let found = hierarchy(&[
            "project-1=organizations/3/folders/12/folders/13",
            "project-2=organizations/3/folders/12",
        ])
        .unwrap();
        let expected = ["folders/13", "folders/12", "organizations/3"];
        let project = "project-1".parse().unwrap();
        assert_eq!(names(found.above(&project)), expected);
        assert_eq!(names(found.chain("folders/12").unwrap()), expected[1..]);
        assert_eq!(found.chain("folders/14"), None);
        assert_eq!(found.chain("folders/1"), None);
        let organizations = found.organizations();
        assert_eq!(organizations.len(), 1);
        assert_eq!(organizations.values().next().unwrap().len(), 2);
        assert!(hierarchy(&[]).unwrap().above(&project).is_empty());
    }

    #[test]
    fn parents_do_not_contradict_each_other() {
        for (parents, fault) in [
            (
                ["project-1=organizations/3", "project-1=organizations/3"],
                "project project-1 has two parents",
            ),
            (
                [
                    "project-1=organizations/3/folders/12",
                    "project-2=organizations/4/folders/12",
                ],
                "folders/12 is in two places",
            ),
            (
                [
                    "project-1=organizations/3/folders/12",
                    "project-2=organizations/3/folders/1/folders/12",
                ],
                "folders/12 is in two places",
            ),
            (
                ["project-1=organizations/3", "project-3=organizations/3"],
                "there is no project project-3",
            ),
        ] {
            let error = hierarchy(&parents).unwrap_err();
            assert_eq!(error.to_string(), fault);
        }
    }

    #[test]
    fn a_parent_has_one_form() {
        for text in [
            "",
            "project-1",
            "project-1=",
            "project-1=organizations",
            "project-1=folders/12",
            "project-1=organizations/3/",
            "project-1=organizations/3/folders",
            "project-1=organizations/03",
            "project-1=organizations/0",
            "project-1=organizations/+3",
            "project-1=organizations/3/organizations/4",
            "Project=organizations/3",
            &format!(
                "project-1=organizations/3{}",
                "/folders/1".repeat(DEEPEST + 1)
            ),
        ] {
            assert_eq!(text.parse::<Parent>(), Err(ParentError), "{text}");
        }
    }
}
