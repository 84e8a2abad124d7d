# The account that the instance runs as. Anyone who creates the instance needs roles/iam.serviceAccountUser on it.
gcloud iam service-accounts describe runner@operator.iam.gserviceaccount.com --project=operator >/dev/null 2>&1 ||
  gcloud iam service-accounts create runner --project=operator
gcloud projects add-iam-policy-binding operator \
  --member=serviceAccount:runner@operator.iam.gserviceaccount.com \
  --role=roles/confidentialcomputing.workloadUser --condition=None
gcloud projects add-iam-policy-binding operator \
  --member=serviceAccount:runner@operator.iam.gserviceaccount.com \
  --role=roles/logging.logWriter --condition=None
# It reads the image and the signatures.
gcloud artifacts repositories add-iam-policy-binding signatures --project=operator --location=europe-west4 \
  --member=serviceAccount:runner@operator.iam.gserviceaccount.com \
  --role=roles/artifactregistry.reader --condition=None
# A network without external addresses: Google's services are reached within it, everything else through Cloud NAT.
gcloud compute networks describe countersign --project=operator >/dev/null 2>&1 ||
  gcloud compute networks create countersign --project=operator --subnet-mode=custom
gcloud compute networks subnets describe countersign --project=operator --region=us-central1 >/dev/null 2>&1 ||
  gcloud compute networks subnets create countersign --project=operator --region=us-central1 \
  --network=countersign --range=10.0.0.0/24 --enable-private-ip-google-access
gcloud compute routers describe countersign --project=operator --region=us-central1 >/dev/null 2>&1 ||
  gcloud compute routers create countersign --project=operator --region=us-central1 --network=countersign
gcloud compute routers nats describe countersign --project=operator --region=us-central1 --router=countersign >/dev/null 2>&1 ||
  gcloud compute routers nats create countersign --project=operator --region=us-central1 --router=countersign \
  --auto-allocate-nat-external-ips --nat-all-subnet-ip-ranges
# The instance. It is not moved to another host.
gcloud compute instances create workload --project=operator --zone=us-central1-a \
  --confidential-compute-type=SEV --machine-type=n2d-standard-2 \
  --maintenance-policy=TERMINATE --no-restart-on-failure --shielded-secure-boot \
  --image-project=confidential-space-images --image-family=confidential-space \
  --service-account=runner@operator.iam.gserviceaccount.com --scopes=cloud-platform \
  --network=countersign --subnet=countersign --no-address \
  --metadata='^|^tee-image-reference=registry.example/some/image@sha256:90d24829a39d1c091099ac7459eafd9a35864446a3753cef7aa522c1941f8e59|tee-signed-image-repos=registry.example/some/image,us-docker.pkg.dev/one/signatures/app,europe-west4-docker.pkg.dev/operator/signatures/app|tee-restart-policy=OnFailure|tee-container-log-redirect=cloud_logging|tee-env-PATTERN=it'\''s ${a}~%{b}, "c"'
