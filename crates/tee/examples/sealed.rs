//! Decrypts a file of the image with a bank's key, if the bank and the builder have signed the image.
#![allow(clippy::print_stdout, reason = "an example")]

use tee::{Digest, Federation, Party, Patience, Quorum, Source, SystemClock, Tee};

const BUILDER: &str = "df6b07176a9b17cc4c9afc257bd404732e7d09b76436c7890f7b7be14e579794";
const BANK: &str = "fbeb00b9bafda85e0c2ecc133efb6d7dd22e6bb7ed4dfda2fc6d02ac54ab053e";
const PROVIDER: &str =
    "projects/1001/locations/global/workloadIdentityPools/tee-pool/providers/attestation";
const KEY: &str = "projects/bank-data/locations/global/keyRings/ring/cryptoKeys/model";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let clock = SystemClock::start();
    let tee = Tee::open(&clock);
    let identity = tee.identity()?;

    let builder = Party::by_id("builder", Digest::from_hex(BUILDER)?);
    let bank = Party::by_id("bank", Digest::from_hex(BANK)?);
    let quorum = Quorum::all(vec![builder, bank])?;
    let bound = quorum.bind(&tee, &identity, &[Source::Token], &Patience::NONE)?;

    let bank = Federation {
        party: "bank".to_owned(),
        audience: "https://bank.example/countersign".to_owned(),
        provider: PROVIDER.parse()?,
    };
    let access = tee.exchange(&bound, &bank)?;
    let sealed = std::fs::read("/data/model.sealed")?;
    let model = access.decrypt("decrypting the model", &KEY.parse()?, &sealed, b"model")?;
    println!("{} bytes for {}", model.bytes().len(), bound.image_digest());
    Ok(())
}
