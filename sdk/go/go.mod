module falconer.example/sdk/go

go 1.22
